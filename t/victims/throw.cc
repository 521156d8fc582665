/*
 * throw: what C++ does when nobody catches, and std::terminate().
 *
 * case: - | SIGABRT SI_TKILL * | @lib crash_here outer main
 * case: terminate | SIGABRT SI_TKILL * | @lib crash_here outer main
 * case: null | SIGSEGV SEGV_MAPERR 0x0 | _ZN6victimL4diesEPi crash_here outer
 * main
 */
#include <cstring>
#include <exception>
#include <stdexcept>

#include "victim.h"

namespace victim
{
NOINLINE static void
dies(int *p)
{
	*p = 1;
	KEEP();
}
} // namespace victim

extern "C" {
NOINLINE static void
crash_here(const char *how)
{
	int *volatile nowhere = nullptr;

	if (how == nullptr)
		throw std::runtime_error("nobody catches this");
	if (strcmp(how, "null") == 0)
		victim::dies(nowhere);
	std::terminate();
}

NOINLINE static void
outer(const char *how)
{
	crash_here(how);
	KEEP();
}
}

int
main(int argc, char *argv[])
{
	outer(argc > 1 ? argv[1] : nullptr);
	return 0;
}
