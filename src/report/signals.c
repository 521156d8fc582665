#include "report/signals.h"

#include <signal.h>
#include <string.h>

#include "base/bytes.h"

static const struct {
	int signo;
	const char *name;
} signals[] = {{SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},
    {SIGCHLD, "SIGCHLD"}, {SIGCONT, "SIGCONT"}, {SIGFPE, "SIGFPE"},
    {SIGHUP, "SIGHUP"}, {SIGILL, "SIGILL"}, {SIGINT, "SIGINT"},
    {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"}, {SIGQUIT, "SIGQUIT"},
    {SIGSEGV, "SIGSEGV"}, {SIGSTOP, "SIGSTOP"}, {SIGSYS, "SIGSYS"},
    {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGVTALRM, "SIGVTALRM"}, {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"}, {SIGPROF, "SIGPROF"}};

/* sigaction(2) and asm-generic/siginfo.h; by number, since libcs differ in
 * which names they have. */
static const struct {
	int signo, code;
	const char *name;
} codes[] = {{SIGSEGV, 1, "SEGV_MAPERR"}, {SIGSEGV, 2, "SEGV_ACCERR"},
    {SIGSEGV, 3, "SEGV_BNDERR"}, {SIGSEGV, 4, "SEGV_PKUERR"},
    {SIGSEGV, 8, "SEGV_MTEAERR"}, {SIGSEGV, 9, "SEGV_MTESERR"},
    {SIGSEGV, 10, "SEGV_CPERR"}, {SIGBUS, 1, "BUS_ADRALN"},
    {SIGBUS, 2, "BUS_ADRERR"}, {SIGBUS, 3, "BUS_OBJERR"},
    {SIGBUS, 4, "BUS_MCEERR_AR"}, {SIGBUS, 5, "BUS_MCEERR_AO"},
    {SIGFPE, 1, "FPE_INTDIV"}, {SIGFPE, 2, "FPE_INTOVF"},
    {SIGFPE, 3, "FPE_FLTDIV"}, {SIGFPE, 4, "FPE_FLTOVF"},
    {SIGFPE, 5, "FPE_FLTUND"}, {SIGFPE, 6, "FPE_FLTRES"},
    {SIGFPE, 7, "FPE_FLTINV"}, {SIGFPE, 8, "FPE_FLTSUB"},
    {SIGILL, 1, "ILL_ILLOPC"}, {SIGILL, 2, "ILL_ILLOPN"},
    {SIGILL, 3, "ILL_ILLADR"}, {SIGILL, 4, "ILL_ILLTRP"},
    {SIGILL, 5, "ILL_PRVOPC"}, {SIGILL, 6, "ILL_PRVREG"},
    {SIGILL, 7, "ILL_COPROC"}, {SIGILL, 8, "ILL_BADSTK"},
    {SIGTRAP, 1, "TRAP_BRKPT"}, {SIGTRAP, 2, "TRAP_TRACE"},
    {SIGTRAP, 3, "TRAP_BRANCH"}, {SIGTRAP, 4, "TRAP_HWBKPT"},
    {SIGSYS, 1, "SYS_SECCOMP"}, {0, 0, "SI_USER"}, {0, 128, "SI_KERNEL"},
    {0, -1, "SI_QUEUE"}, {0, -2, "SI_TIMER"}, {0, -3, "SI_MESGQ"},
    {0, -4, "SI_ASYNCIO"}, {0, -5, "SI_SIGIO"}, {0, -6, "SI_TKILL"}};

const char *
signal_name(int signo)
{
	size_t i;

	for (i = 0; i < NELEM(signals); i++)
		if (signals[i].signo == signo)
			return signals[i].name;
	return NULL;
}

int
signal_number(const char *name, size_t len)
{
	size_t i;

	if (len > 3 && memcmp(name, "SIG", 3) == 0) {
		name += 3;
		len -= 3;
	}
	for (i = 0; i < NELEM(signals); i++)
		if (strlen(signals[i].name) == len + 3 &&
		    memcmp(signals[i].name + 3, name, len) == 0)
			return signals[i].signo;
	return -1;
}

const char *
signal_code_name(int signo, int c)
{
	size_t i;

	for (i = 0; i < NELEM(codes); i++)
		if ((codes[i].signo == 0 || codes[i].signo == signo) &&
		    codes[i].code == c)
			return codes[i].name;
	return NULL;
}
