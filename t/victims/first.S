/*
 * first: functions whose very first instruction faults.  The frame that a
 * signal interrupted is exact: looked up one byte earlier, as return
 * addresses are, it would be the function before.
 */
	.text
	.globl	before_first
	.type	before_first, %function
before_first:
	.cfi_startproc
	ret
	.cfi_endproc
	.size	before_first, . - before_first
	.globl	first_insn
	.type	first_insn, %function
first_insn:
	.cfi_startproc
#if defined(__x86_64__)
	movl	$0, (%rdi)
#elif defined(__aarch64__)
	str	wzr, [x0]
#endif
	ret
	.cfi_endproc
	.size	first_insn, . - first_insn
	.section .note.GNU-stack, "", %progbits
