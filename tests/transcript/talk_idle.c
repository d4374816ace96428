/* Steps: IDLE. */
#include <poll.h>

#include "transcript/talk.h"

enum { INPUT_TIMEOUT_MS = 5000 };

bool talk_idle(struct talk *talk, struct talk_args *args)
{
	(void)args;
	return imap_idle_start(talk->imap, &talk->err);
}

bool talk_drain(struct talk *talk, struct talk_args *args)
{
	bool news;

	(void)args;
	if (!imap_idle_drain(talk->imap, &news, &talk->err))
		return false;
	talk_says(talk, news ? "news" : "no news");
	return true;
}

bool talk_park(struct talk *talk, struct talk_args *args)
{
	(void)args;
	talk_says(talk, imap_park(talk->imap) ? "parked" : "bytes are left");
	return true;
}

/* Park, then wait until the server sends or closes. */
bool talk_wait(struct talk *talk, struct talk_args *args)
{
	struct pollfd poll_fd = {.fd = imap_fd(talk->imap), .events = POLLIN};

	(void)args;
	if (!imap_park(talk->imap))
		talk_says(talk, "bytes are left");
	else
		talk_says(talk, poll(&poll_fd, 1, INPUT_TIMEOUT_MS) == 1 ? "input" : "silence");
	return true;
}

bool talk_done(struct talk *talk, struct talk_args *args)
{
	(void)args;
	return imap_idle_done(talk->imap, &talk->err);
}
