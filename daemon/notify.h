/* Word to systemd (sd_notify(3)'s protocol: a datagram to $NOTIFY_SOCKET); nothing without it. */
#ifndef MAILSTOW_DAEMON_NOTIFY_H
#define MAILSTOW_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1". Best effort. */
void notify_systemd(const char *message);

#endif
