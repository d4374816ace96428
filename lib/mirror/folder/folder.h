/*
 * Mirrors one selectable folder: by the QRESYNC report if it adds up, otherwise by comparing the
 * whole folder (with CONDSTORE, only changed flags).
 */
#ifndef MAILSTOW_MIRROR_FOLDER_FOLDER_H
#define MAILSTOW_MIRROR_FOLDER_FOLDER_H

#include "mirror/folder/pass_state.h"

/* Compares a folder and brings the archive up to date. A folder that the server refuses is noted
 * and skipped. False: the session or the archive failed. */
bool folder_mirror(struct folder_job *job, struct err *err);

#endif
