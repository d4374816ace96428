/* Plays one conversation and compares the results of its steps with what the file expects. */
#ifndef MAILSTOW_TESTS_TRANSCRIPT_TALK_PLAY_H
#define MAILSTOW_TESTS_TRANSCRIPT_TALK_PLAY_H

#include "transcript/talk_file.h"

/* lines are expanded. show: print the results of every step. */
bool talk_play(const struct talk_lines *lines, bool show, struct talk_failure *failure);

#endif
