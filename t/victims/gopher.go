/*
 * gopher: a Go program; .gopclntab is all that tells of its functions.  Run
 * with GOTRACEBACK=crash: the runtime raises SIGABRT, once in the goroutine
 * and again in its handler.
 *
 * case: panic | SIGABRT SI_TKILL * | runtime.raise runtime.dieFromSignal
 * runtime.sigfwdgo runtime.sigtrampgo runtime.sigtramp
 * runtime.sigreturn(__sigaction)? runtime.raise runtime.dieFromSignal
 * (runtime.crash )?runtime.fatalpanic runtime.gopanic( runtime.panicmem)?
 * runtime.sigpanic main.leaf main.mid main.mid main.mid main.main
 * runtime.main runtime.goexit
 * case: throw | SIGABRT SI_TKILL * | runtime.raise .* runtime.systemstack
 * runtime.fatalthrow .* main.unlock main.main runtime.main runtime.goexit
 */
package main

import (
	"os"
	"sync"
	"time"
)

type T struct {
	p *T
	y [2]int
	x int
}

//go:noinline
func leaf(t *T) int { return t.p.x }

//go:noinline
func mid(t *T, n int) int {
	if n > 0 {
		return mid(t, n-1) + 1
	}
	return leaf(t)
}

func recovered() {
	defer func() { recover() }()
	mid(&T{}, 2)
}

//go:noinline
func unlock(m *sync.Mutex) { m.Unlock() }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "panic" {
		mid(&T{}, 2)
	}
	if len(os.Args) > 1 && os.Args[1] == "throw" {
		unlock(&sync.Mutex{})
	}
	// no fault, or one that is over
	if len(os.Args) > 1 && os.Args[1] == "index" {
		_ = os.Args[len(os.Args)+7]
	}
	if len(os.Args) > 1 && os.Args[1] == "later" {
		recovered()
		panic("of its own")
	}
	time.Sleep(time.Hour)
}
