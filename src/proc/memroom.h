/* memroom: how much memory may be taken for a while. */
#ifndef PROC_MEMROOM_H
#define PROC_MEMROOM_H

#include <stdint.h>

/* Half of what is free (MemAvailable of proc(5)), in bytes; 0 not known. */
uint64_t memroom(void);

#endif
