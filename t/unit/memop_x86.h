/*
 * memop_x86: instructions that unit_memop runs on the processor at hand.
 *
 * I(where, flags, access, size, text); access: 1 reads, 2 writes, 3 both,
 * 0 touches nothing.  where: what points at the page that
 * faults (the rest points at good memory): SRC rbx rbp rsi r12 r13 and the gs
 * base, DST rdi, STK rsp and rbp.  Others: rax 0x40, rcx 3, rdx 1000, r8 1,
 * r9 5, r14 -16; mask and vector register 1 all ones, 2 zeros.
 */
#ifndef UNIT_MEMOP_X86_H
#define UNIT_MEMOP_X86_H

#define SRC "0"
#define DST "1"
#define STK "2"

#define OPT 1	/* the processor may lack it */
#define FIXED 2 /* its address is its own, no register moves it */
#define JUMP 4	/* goes elsewhere when memory lets it */
#define PART 8	/* size is one element of several, or unknown */

#define STR_(x) #x
#define STR(x) STR_(x)
#define I(where, flags, access, size, text)                                   \
	"case " where ", " STR((flags)) ", " #access ", " STR(size) ", " text \
								    "\n"

__asm__(".macro case where, flags, access, size, text:vararg\n"
	".pushsection memop_cases, \"aw\"\n"
	".balign 8\n"
	".quad 771f, 772f, 773f\n"
	".long \\where, \\flags, \\access, \\size\n"
	".popsection\n"
	".pushsection .rodata\n"
	"773: .asciz \"\\text\"\n"
	".popsection\n"
	"771: \\text\n"
	"772: ud2\n"
	".endm\n"
	".text\n"
    /* forms of address */
    I(SRC, 0, 1, 4, "movl (%rbx), %eax") I(SRC, 0, 1, 8,
	"movq 16(%rbp), %rax") I(SRC, 0, 1, 2, "movw -300(%rbx), %ax") I(SRC, 0,
	1, 1, "movb (%rbx,%rcx,8), %al") I(SRC, 0, 1, 8,
	"movq 0x20(%r13,%r9,4), %r15") I(SRC, 0, 1, 8,
	"movq (%r12), %r8") I(SRC, 0, 1, 8, "movq (%r12,%r14), %r8") I(SRC, 0,
	1, 4, "movl (%rcx,%rbx), %edx") I(SRC, 0, 1, 4,
	"movl -16(,%rbx), %edx") I(SRC, 0, 1, 4, "movl %gs:24, %edx") I(SRC, 0,
	1, 4, "movl %gs:(%rcx), %edx") I(SRC, FIXED, 1, 4,
	"movl 0x20001810, %edx") I(SRC, FIXED, 1, 1, "movabsb 0x20001811, %al")
	I(SRC, FIXED, 2, 8, "movabsq %rax, 0x20001818")
	    I(SRC, FIXED, 1, 4, "addr32 movl 8(%ebx), %edx")
		I(SRC, FIXED, 2, 4, "movl %edx, memop_rip+16(%rip)")
		    I(SRC, FIXED, 2, 1, "movb $1, memop_rip+32(%rip)") I(
			SRC, FIXED, 2, 2, "movw $0x1234, memop_rip+34(%rip)")
			I(SRC, FIXED, 2, 8, "movq $0x1234, memop_rip+40(%rip)")
			    I(SRC, FIXED, 1, 4, "testl $5, memop_rip+44(%rip)")
				I(SRC, FIXED, 3, 4, "notl memop_rip+48(%rip)")
    /* integer */
    I(SRC, 0, 2, 4, "movl %eax, (%rbx)") I(SRC, 0, 2, 4, "movl $7, 4(%rbx)") I(
	SRC, 0, 2, 1, "movb $7, (%rbx)") I(SRC, 0, 2, 2,
	"movw %ds, (%rbx)") I(SRC, 0, 3, 4, "addl %eax, (%rbx)") I(SRC, 0, 1, 4,
	"addl (%rbx), %eax") I(SRC, 0, 1, 4, "cmpl %eax, (%rbx)") I(SRC, 0, 1,
	1, "cmpb $0, (%rbx)") I(SRC, 0, 1, 8, "cmpq $100000, (%rbx)") I(SRC, 0,
	3, 8, "orq $1, (%rbx)") I(SRC, 0, 3, 2, "xorw $300, (%rbx)") I(SRC, 0,
	3, 4, "lock addl $1, (%rbx)") I(SRC, 0, 1, 8,
	"testq %rax, (%rbx)") I(SRC, 0, 3, 8, "xchgq %rax, (%rbx)") I(SRC, 0, 3,
	4, "lock xaddl %eax, (%rbx)") I(SRC, 0, 3, 4,
	"lock cmpxchgl %ecx, (%rbx)") I(SRC, 0, 3, 8, "cmpxchg8b (%rbx)") I(SRC,
	0, 3, 16, "lock cmpxchg16b (%rbx)") I(SRC, 0, 3, 4, "incl (%rbx)")
	I(SRC, 0, 3, 1, "decb (%rbx)") I(SRC, 0, 3, 8, "negq (%rbx)") I(SRC, 0,
	    1, 4, "mull (%rbx)") I(SRC, 0, 1, 4, "imull (%rbx), %eax") I(SRC, 0,
	    1, 4, "imull $3, (%rbx), %eax") I(SRC, 0, 1, 8,
	    "imulq $300, (%rbx), %rax") I(SRC, 0, 3, 4,
	    "shll $3, (%rbx)") I(SRC, 0, 3, 4, "sarl (%rbx)") I(SRC, 0, 3, 4,
	    "rorl %cl, (%rbx)") I(SRC, 0, 3, 4, "shldl $3, %eax, (%rbx)")
	    I(SRC, 0, 3, 8, "shrdq %cl, %rax, (%rbx)") I(SRC, 0, 1, 1,
		"movzbl (%rbx), %eax") I(SRC, 0, 1, 2, "movswq (%rbx), %rax")
		I(SRC, 0, 1, 4, "movslq (%rbx), %rax") I(SRC, 0, 1, 8,
		    "cmovzq (%rbx), %rax") I(SRC, 0, 2, 1, "setz (%rbx)") I(SRC,
		    0, 1, 4, "btl $3, (%rbx)") I(SRC, 0, 3, 4,
		    "btsl $3, (%rbx)") I(SRC, 0, 1, 4, "btl %edx, (%rbx)")
		    I(SRC, 0, 3, 8, "btcq %r14, (%rbx)") I(SRC, 0, 3, 2,
			"btrw %dx, (%rbx)") I(SRC, 0, 1, 4, "bsfl (%rbx), %eax")
			I(SRC, OPT, 1, 4, "popcntl (%rbx), %eax") I(
			    SRC, OPT, 1, 8, "tzcntq (%rbx), %rax") I(SRC, OPT,
			    1, 4, "movbel (%rbx), %eax") I(SRC, OPT, 2, 8,
			    "movbeq %rax, (%rbx)") I(SRC, OPT, 1, 1,
			    "crc32b (%rbx), %eax") I(SRC, OPT, 1, 2,
			    "crc32w (%rbx), %eax") I(SRC, OPT, 1, 8,
			    "adcxq (%rbx), %rax") I(SRC, OPT, 1, 4,
			    "adoxl (%rbx), %eax") I(SRC, 0, 2, 8,
			    "movntiq %rax, (%rbx)") I(SRC, OPT, 2, 4,
			    "movdiri %eax, (%rbx)") I(SRC, OPT, 1, 64,
			    "movdir64b (%rbx), %rdi") I(DST, OPT, 2, 64,
			    "movdir64b (%rsi), %rdi") I(SRC, 0, 0, 0,
			    "leaq 8(%rbx), %rax") I(SRC, 0, 0, 0,
			    "nopl 8(%rbx)") I(SRC, 0, 0, 0, "prefetcht0 (%rbx)")
			    I(SRC, 0, 0, 0, "movl %eax, %ecx") I(SRC, 0, 0, 0,
				"cpuid") I(SRC, PART, 1, 0, "clflush (%rbx)")
				I(SRC, OPT | PART, 1, 0, "clflushopt (%rbx)")
    /* strings */
    I(SRC, 0, 1, 1, "movsb") I(DST, 0, 2, 1, "movsb")
	I(SRC, PART, 1, 8, "rep movsq") I(DST, PART, 2, 8, "rep movsq")
	    I(SRC, PART, 1, 1, "rep movsb") I(DST, PART, 2, 4, "rep stosl")
		I(DST, 0, 2, 2, "stosw") I(SRC, 0, 1, 4, "lodsl") I(DST, PART,
		    1, 1, "repnz scasb") I(SRC, PART, 1, 1, "repz cmpsb")
		    I(DST, 0, 1, 8, "cmpsq") I(SRC, 0, 1, 1, "xlatb")
    /* stack */
    I(STK, 0, 2, 8, "pushq %rax") I(STK, 0, 2, 8, "pushq $1000") I(
	STK, 0, 2, 8, "pushq $1") I(STK, 0, 2, 2, "pushw %ax") I(STK, 0, 2, 8,
	"pushfq") I(STK, 0, 2, 8, "pushq %fs") I(STK, 0, 1, 8, "popq %rax")
	I(STK, 0, 1, 2, "popw %ax") I(STK, 0, 2, 8, "pushq (%rbx)") I(
	    SRC, 0, 1, 8, "pushq (%rbx)") I(STK, 0, 1, 8, "popq 8(%rbx)") I(SRC,
	    0, 2, 8, "popq 8(%rbx)") I(STK, JUMP, 2, 8, "call 772f")
	    I(STK, JUMP, 2, 8, "call *%rbx") I(STK, JUMP, 2, 8, "call *(%rbx)")
		I(SRC, JUMP, 1, 8, "call *8(%rbx)")
		    I(SRC, JUMP, 1, 8, "jmp *(%rbx)") I(STK, JUMP, 1, 8, "ret")
			I(STK, JUMP, 1, 8, "ret $16") I(STK, 0, 1, 8, "leave")
			    I(STK, 0, 2, 8, "enter $16, $0")
    /* x87 */
    I(SRC, 0, 1, 4, "flds (%rbx)") I(SRC, 0, 1, 8, "fldl (%rbx)") I(
	SRC, 0, 1, 10, "fldt (%rbx)") I(SRC, 0, 2, 4, "fsts (%rbx)")
	I(SRC, 0, 2, 8, "fstpl (%rbx)") I(SRC, 0, 2, 10, "fstpt (%rbx)") I(
	    SRC, 0, 1, 2, "filds (%rbx)") I(SRC, 0, 1, 8, "fildll (%rbx)")
	    I(SRC, 0, 2, 4, "fistl (%rbx)") I(SRC, 0, 2, 8, "fistpll (%rbx)") I(
		SRC, 0, 2, 8, "fisttpll (%rbx)") I(SRC, 0, 1, 4, "fadds (%rbx)")
		I(SRC, 0, 1, 8, "fmull (%rbx)") I(SRC, 0, 1, 2, "fldcw (%rbx)")
		    I(SRC, 0, 2, 2, "fnstcw (%rbx)") I(SRC, 0, 2, 2,
			"fnstsw (%rbx)") I(SRC, 0, 2, 28, "fnstenv (%rbx)")
			I(SRC, 0, 1, 28, "fldenv (%rbx)") I(SRC, 0, 2, 108,
			    "fnsave (%rbx)") I(SRC, 0, 1, 108, "frstor (%rbx)")
			    I(SRC, 0, 2, 10, "fbstp (%rbx)")
				I(SRC, 0, 1, 10, "fbld (%rbx)")
    /* state */
    I(SRC, 0, 2, 512, "fxsave (%rbx)") I(SRC, 0, 1, 512, "fxrstor64 (%rbx)")
	I(SRC, 0, 1, 4, "ldmxcsr (%rbx)") I(SRC, 0, 2, 4, "stmxcsr (%rbx)")
	    I(SRC, OPT, 1, 4, "vldmxcsr (%rbx)")
    /* MMX, SSE */
    I(SRC, 0, 1, 8, "movq (%rbx), %mm0") I(SRC, 0, 2, 8, "movq %mm0, (%rbx)") I(
	SRC, 0, 1, 4, "movd (%rbx), %mm0") I(SRC, 0, 1, 8,
	"paddd (%rbx), %mm0") I(SRC, 0, 1, 4, "punpcklbw (%rbx), %mm0") I(SRC,
	0, 2, 8, "movntq %mm0, (%rbx)") I(SRC, 0, 1, 8,
	"pshufw $3, (%rbx), %mm0") I(DST, PART, 2, 8,
	"maskmovq %mm1, %mm0") I(DST, PART, 2, 16,
	"maskmovdqu %xmm1, %xmm0") I(SRC, 0, 1, 16,
	"movups (%rbx), %xmm0") I(SRC, 0, 2, 16, "movups %xmm0, (%rbx)") I(SRC,
	0, 1, 16,
	"movaps (%rbx), %xmm0") I(SRC, 0, 2, 16, "movaps %xmm0, (%rbx)") I(SRC,
	0, 1, 16, "movdqa (%rbx), %xmm8") I(SRC, 0, 2, 16,
	"movdqa %xmm9, (%r12)") I(SRC, 0, 1, 16, "movdqu (%rbx), %xmm0") I(SRC,
	0, 2, 16, "movdqu %xmm0, (%rbx)") I(SRC, 0, 1, 4, "movss (%rbx), %xmm0")
	I(SRC, 0, 2, 4, "movss %xmm0, (%rbx)") I(SRC, 0, 1, 8,
	    "movsd (%rbx), %xmm0") I(SRC, 0, 2, 8, "movsd %xmm0, (%rbx)")
	    I(SRC, 0, 1, 8, "movlps (%rbx), %xmm0") I(SRC, 0, 2, 8,
		"movhpd %xmm0, (%rbx)") I(SRC, 0, 1, 8, "movddup (%rbx), %xmm0")
		I(SRC, 0, 1, 16, "movshdup (%rbx), %xmm0") I(
		    SRC, 0, 2, 16, "movntps %xmm0, (%rbx)") I(SRC, 0, 2, 16,
		    "movntdq %xmm0, (%rbx)") I(SRC, OPT, 1, 16,
		    "movntdqa (%rbx), %xmm0") I(SRC, OPT, 1, 16,
		    "lddqu (%rbx), %xmm0") I(SRC, 0, 1, 4, "movd (%rbx), %xmm0")
		    I(SRC, 0, 2, 8, "movq %xmm0, (%rbx)") I(
			SRC, 0, 1, 8, "movq (%rbx), %xmm0")
			I(SRC, 0, 1, 16, "paddd (%rbx), %xmm0") I(
			    SRC, 0, 1, 16, "addps (%rbx), %xmm0")
			    I(SRC, 0, 1, 4, "addss (%rbx), %xmm0") I(
				SRC, 0, 1, 8, "mulsd (%rbx), %xmm0") I(SRC, 0,
				1, 8, "cvtps2pd (%rbx), %xmm0") I(SRC, 0, 1, 8,
				"cvtdq2pd (%rbx), %xmm0") I(SRC, 0, 1, 8,
				"cvtsi2sdq (%rbx), %xmm0") I(SRC, 0, 1, 4,
				"cvttss2si (%rbx), %eax") I(SRC, 0, 1, 8,
				"ucomisd (%rbx), %xmm0") I(SRC, 0, 1, 16,
				"pshufd $1, (%rbx), %xmm0") I(SRC, 0, 1, 16,
				"psllw (%rbx), %xmm0") I(SRC, 0, 1, 2,
				"pinsrw $1, (%rbx), %xmm0") I(SRC, 0, 1, 16,
				"shufps $1, (%rbx), %xmm0") I(SRC, 0, 1, 4,
				"cmpss $1, (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"pshufb (%rbx), %xmm0") I(SRC, OPT, 1, 8,
				"pshufb (%rbx), %mm0") I(SRC, OPT, 1, 16,
				"palignr $1, (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"ptest (%rbx), %xmm0") I(SRC, OPT, 1, 8,
				"pmovsxbw (%rbx), %xmm0") I(SRC, OPT, 1, 4,
				"pmovzxbd (%rbx), %xmm0") I(SRC, OPT, 1, 2,
				"pmovsxbq (%rbx), %xmm0") I(SRC, OPT, 1, 8,
				"pmovzxwd (%rbx), %xmm0") I(SRC, OPT, 1, 4,
				"pmovzxwq (%rbx), %xmm0") I(SRC, OPT, 1, 8,
				"pmovsxdq (%rbx), %xmm0") I(SRC, OPT, 2, 1,
				"pextrb $1, %xmm0, (%rbx)") I(SRC, OPT, 2, 8,
				"pextrq $1, %xmm0, (%rbx)") I(SRC, OPT, 2, 4,
				"extractps $1, %xmm0, (%rbx)") I(SRC, OPT, 1, 1,
				"pinsrb $1, (%rbx), %xmm0") I(SRC, OPT, 1, 4,
				"insertps $1, (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"pcmpistri $1, (%rbx), %xmm0") I(SRC, OPT, 1, 8,
				"roundsd $1, (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"aesenc (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"sha256msg1 (%rbx), %xmm0") I(SRC, OPT, 1, 16,
				"sha1rnds4 $1, (%rbx), %xmm0")
    /* VEX */
    I(SRC, OPT, 1, 32, "vmovups (%rbx), %ymm0") I(
	SRC, OPT, 2, 32, "vmovups %ymm0, 8(%rbx)") I(SRC, OPT, 1, 32,
	"vmovdqa (%rbx), %ymm0") I(SRC, OPT, 2, 32, "vmovdqa %ymm0, (%r12)")
	I(SRC, OPT, 2, 32, "vmovntdq %ymm0, (%rbx)") I(
	    SRC, OPT, 1, 32, "vpaddd (%rbx), %ymm0, %ymm9")
	    I(SRC, OPT, 1, 16, "vaddps (%r12,%rcx,4), %xmm0, %xmm9") I(
		SRC, OPT, 1, 8, "vmovddup (%rbx), %xmm0")
		I(SRC, OPT, 1, 32, "vmovddup (%rbx), %ymm0") I(
		    SRC, OPT, 1, 16, "vpsrld (%rbx), %ymm0, %ymm0")
		    I(SRC, OPT, 1, 8, "vpmovsxbd (%rbx), %ymm0") I(
			SRC, OPT, 1, 16, "vcvtps2pd (%rbx), %ymm0") I(SRC, OPT,
			1, 16, "vcvtph2ps (%rbx), %ymm0") I(SRC, OPT, 2, 16,
			"vcvtps2ph $0, %ymm0, (%rbx)") I(SRC, OPT, 1, 16,
			"vbroadcastf128 (%rbx), %ymm0") I(SRC, OPT, 1, 4,
			"vbroadcastss (%rbx), %ymm0") I(SRC, OPT, 1, 1,
			"vpbroadcastb (%rbx), %ymm0") I(SRC, OPT, 1, 8,
			"vpbroadcastq (%rbx), %ymm0") I(SRC, OPT, 1, 16,
			"vinserti128 $1, (%rbx), %ymm0, %ymm0") I(SRC, OPT, 2,
			16, "vextracti128 $1, %ymm0, (%rbx)") I(SRC, OPT, 1, 32,
			"vmaskmovps (%rbx), %ymm1, %ymm0") I(SRC, OPT, 2, 32,
			"vmaskmovpd %ymm0, %ymm1, (%rbx)") I(SRC, OPT, 2, 16,
			"vpmaskmovd %xmm0, %xmm1, (%rbx)") I(SRC, OPT, 1, 32,
			"vfmadd231ps (%rbx), %ymm0, %ymm0") I(SRC, OPT, 1, 8,
			"vfmadd213sd (%rbx), %xmm0, %xmm0") I(SRC, OPT | PART,
			1, 4, "vpgatherdd %ymm1, (%rbx,%ymm2), %ymm0")
			I(SRC, OPT, 1, 4, "andnl (%rbx), %eax, %eax") I(
			    SRC, OPT, 1, 8, "rorxq $3, (%rbx), %rax") I(SRC,
			    OPT, 1, 8, "shlxq %rax, (%rbx), %rax") I(SRC, OPT,
			    1, 4, "pextl (%rbx), %eax, %eax") I(SRC, OPT, 1, 32,
			    "vpcmpeqb (%rbx), %ymm0, %ymm0") I(SRC, OPT, 1, 32,
			    "vperm2i128 $1, (%rbx), %ymm0, %ymm0")
			    I(SRC, OPT, 1, 32, "vpermq $1, (%rbx), %ymm0")
    /* EVEX: short displacements are scaled by the operand */
    I(SRC, OPT, 1, 64, "vmovups 64(%rbx), %zmm0") I(
	SRC, OPT, 2, 64, "vmovups %zmm17, -128(%r12)") I(SRC, OPT, 1, 64,
	"vmovdqa64 64(%rbx), %zmm0") I(SRC, OPT, 2, 64,
	"vmovdqu8 %zmm0, 64(%rbx)") I(SRC, OPT, 2, 64,
	"vmovdqu32 %zmm0, 64(%rbx){%k1}") I(SRC, OPT, 1, 64,
	"vpaddd 64(%rbx), %zmm0, %zmm0") I(SRC, OPT, 1, 4,
	"vpaddd 12(%rbx){1to16}, %zmm0, %zmm0") I(SRC, OPT, 1, 8,
	"vaddpd 16(%rbx){1to8}, %zmm0, %zmm0") I(SRC, OPT, 1, 4,
	"vaddss 12(%rbx), %xmm16, %xmm0") I(SRC, OPT, 1, 8,
	"vmovsd 16(%rbx), %xmm16") I(SRC, OPT, 1, 32,
	"vcvtps2pd 32(%rbx), %zmm0") I(SRC, OPT, 1, 4,
	"vcvtps2pd 4(%rbx){1to8}, %zmm0") I(SRC, OPT, 1, 32,
	"vcvtdq2pd 32(%rbx), %zmm0") I(SRC, OPT, 1, 64,
	"vcvtqq2pd 64(%rbx), %zmm0") I(SRC, OPT, 1, 32,
	"vcvttps2uqq 32(%rbx), %zmm0") I(SRC, OPT, 1, 64,
	"vcvtudq2ps 64(%rbx), %zmm0") I(SRC, OPT, 1, 16,
	"vpmovsxbd 16(%rbx), %zmm0") I(SRC, OPT, 2, 16,
	"vpmovdb %zmm0, 16(%rbx)") I(SRC, OPT, 2, 32, "vpmovwb %zmm0, 32(%rbx)")
	I(SRC, OPT, 2, 8, "vpmovqb %zmm0, 8(%rbx)") I(
	    SRC, OPT, 2, 32, "vpmovusqd %zmm0, 32(%rbx)")
	    I(SRC, OPT, 2, 16, "vpmovsqw %zmm0, 16(%rbx)") I(
		SRC, OPT, 1, 16, "vbroadcasti32x4 16(%rbx), %zmm0")
		I(SRC, OPT, 1, 32, "vbroadcastf64x4 32(%rbx), %zmm0") I(
		    SRC, OPT, 1, 8, "vbroadcastf32x2 8(%rbx), %zmm0") I(SRC,
		    OPT, 1, 2, "vpbroadcastw 2(%rbx), %zmm0") I(SRC, OPT, 1, 32,
		    "vinserti64x4 $1, 32(%rbx), %zmm0, %zmm0") I(SRC, OPT, 2,
		    16, "vextractf32x4 $1, %zmm0, 16(%rbx)") I(SRC, OPT, 2, 32,
		    "vcvtps2ph $0, %zmm0, 32(%rbx)") I(SRC, OPT, 1, 16,
		    "vpslld 16(%rbx), %zmm0, %zmm0") I(SRC, OPT, 1, 64,
		    "vpslld $3, 64(%rbx), %zmm0") I(SRC, OPT, 1, 64,
		    "vpternlogd $1, 64(%rbx), %zmm0, %zmm0") I(SRC, OPT, 1, 64,
		    "vpcmpud $1, 64(%rbx), %zmm0, %k2") I(SRC, OPT, 1, 64,
		    "vpermt2d 64(%rbx), %zmm0, %zmm0") I(SRC, OPT | PART, 1, 4,
		    "vpexpandd 12(%rbx), %zmm0{%k1}{z}") I(SRC, OPT | PART, 2,
		    8, "vcompresspd %zmm0, 16(%rbx){%k1}") I(SRC, OPT | PART, 1,
		    4, "vpgatherdd (%rbx,%zmm2), %zmm0{%k1}") I(SRC, OPT | PART,
		    2, 8, "vscatterdpd %zmm0, 8(%rbx,%ymm2){%k1}") I(SRC, OPT,
		    1, 64, "vfmadd231pd 64(%rbx), %zmm0, %zmm0") I(SRC, OPT, 1,
		    2, "kmovw (%rbx), %k2") I(SRC, OPT, 2, 8,
		    "kmovq %k2, (%rbx)") I(SRC, OPT, 2, 4, "kmovd %k2, (%rbx)")
		    I(SRC, OPT, 1, 64, "vaddph 64(%rbx), %zmm0, %zmm0")
			I(SRC, OPT, 1, 2, "vaddph 2(%rbx){1to32}, %zmm0, %zmm0")
			    I(SRC, OPT, 1, 2, "vaddsh 2(%rbx), %xmm0, %xmm0")
				I(SRC, OPT, 2, 2, "vmovsh %xmm0, 2(%rbx)")
    /* nothing that touches memory */
    I(SRC, 0, 0, 0, "hlt") I(SRC, 0, 0, 0, "inb %dx, %al")
	I(SRC, 0, 0, 0, "int3") I(SRC, 0, 0, 0, "ud2") ".purgem case\n");

#endif
