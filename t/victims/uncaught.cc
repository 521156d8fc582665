/*
 * uncaught: exceptions that nobody catches.
 *
 * What the report is to say, as an extended regular expression:
 * cause range: aborted: uncaught std::out_of_range: vector::_M_range_check: .*
 * cause noexcept: aborted: uncaught std::runtime_error: through noexcept
 * cause thread: aborted: uncaught std::invalid_argument: in a thread
 * cause destructor: aborted: uncaught std::logic_error: from a destructor
 * cause own: aborted: uncaught app::Own
 * cause derived: aborted: uncaught app::Derived: bad token
 * cause says: aborted: uncaught app::Says
 * cause second: aborted: uncaught app::Second: second base
 * cause long: aborted: uncaught std::runtime_error: x{200,}\.\.\.
 * cause number: aborted: uncaught int: 42
 * cause rethrown: aborted: uncaught std::out_of_range: kept and thrown again
 * cause nested: aborted: uncaught std::logic_error: the inner one
 * cause handler: aborted: std::terminate\(\) in the handler of
 *  std::runtime_error: in its handler
 * cause handling: aborted while handling std::runtime_error: and abort\(\)
 * cause over: aborted
 * cause kept: aborted
 * cause forged: aborted
 */
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "victim.h"

namespace app
{
struct Own {
	int x;
};
struct Derived : std::runtime_error {
	using std::runtime_error::runtime_error;
};
struct Says : std::logic_error {
	using std::logic_error::logic_error;
	const char *what() const noexcept override
	{
		return "something else";
	}
};
struct Second : Own, std::runtime_error {
	Second() : std::runtime_error("second base")
	{
	}
};
} // namespace app

struct Thrower {
	~Thrower()
	{
		throw_it();
	}
	NOINLINE static void throw_it()
	{
		throw std::logic_error("from a destructor");
	}
};

NOINLINE static void
thrower(const char *words)
{
	throw std::runtime_error(words);
}

NOINLINE static void
through() noexcept
{
	thrower("through noexcept");
	KEEP();
}

NOINLINE static void
again()
{
	std::exception_ptr p;

	try {
		throw std::out_of_range("kept and thrown again");
	} catch (...) {
		p = std::current_exception();
	}
	std::rethrow_exception(p);
}

NOINLINE static void
handler(void (*end)(), const char *words)
{
	try {
		thrower(words);
	} catch (...) {
		end();
	}
	KEEP();
}

/* Somebody points to it still, but its handler has ended. */
NOINLINE static void
kept()
{
	std::exception_ptr p;

	try {
		thrower("kept");
	} catch (...) {
		p = std::current_exception();
	}
	std::terminate();
}

/* A header that is none, where one would be looked for. */
alignas(16) static unsigned long forged[64];

NOINLINE static void
forge()
{
	unsigned long *volatile on_stack[8];

	for (unsigned long &w : forged)
		w = (unsigned long)forged;
	forged[20] = 0x474e5543432b2b00;
	forged[15] = 1;
	for (auto &p : on_stack)
		p = &forged[20];
	KEEP();
	std::terminate();
}

int
main(int argc, char *argv[])
{
	std::string how = argc > 1 ? argv[1] : "";
	std::vector<int> v(1);

	if (how == "range")
		return v.at(5);
	if (how == "noexcept")
		through();
	if (how == "thread")
		std::thread([] {
			throw std::invalid_argument("in a thread");
		}).join();
	if (how == "destructor")
		Thrower t;
	if (how == "own")
		throw app::Own{3};
	if (how == "derived")
		throw app::Derived("bad token");
	if (how == "says")
		throw app::Says("not this");
	if (how == "second")
		throw app::Second();
	if (how == "long")
		throw std::runtime_error(std::string(10000, 'x'));
	if (how == "number")
		throw 42;
	if (how == "rethrown")
		again();
	if (how == "nested")
		try {
			throw std::runtime_error("the outer one");
		} catch (std::runtime_error &) {
			throw std::logic_error("the inner one");
		}
	if (how == "handler")
		handler(std::terminate, "in its handler");
	if (how == "handling")
		handler(abort, "and abort()");
	if (how == "kept")
		kept();
	if (how == "over") {
		try {
			throw std::runtime_error("caught, and done with");
		} catch (std::runtime_error &) {
		}
		std::terminate();
	}
	if (how == "forged")
		forge();
	return 0;
}
