/* Messages to systemd: sd_notify(3)'s protocol, a datagram to $NOTIFY_SOCKET. */
#ifndef MAILSTOW_DAEMON_SYSTEMD_NOTIFY_H
#define MAILSTOW_DAEMON_SYSTEMD_NOTIFY_H

/* "READY=1", "STOPPING=1". Does nothing when $NOTIFY_SOCKET is not set; errors are ignored. */
void systemd_notify(const char *message);

#endif
