/* Randomness (SQLite's too) and wall time that are the same in each run, for programs linked with
 * ld's --wrap of rand_bytes and clock_wall_ms. */
#ifndef MAILSTOW_TESTS_SUPPORT_CHANCE_H
#define MAILSTOW_TESTS_SUPPORT_CHANCE_H

/* Start the sequence again. */
void chance_begin(void);

#endif
