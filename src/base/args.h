/* args: command line values, whole and in range or a usage error. */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stdint.h>

/* The number arg, from min to max; else the program ends with EXIT_USAGE and
 * a line that names what ("option -n", "pid"). */
uint64_t
args_number(const char *what, const char *arg, uint64_t min, uint64_t max);

#endif
