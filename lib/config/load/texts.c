#include "config/load/texts.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/str.h"

enum {
	PORT_MAX = 65535,
	HOST_BYTES_MAX = 253,    /* RFC 1035, 2.3.4 */
	ADDRESS_BYTES_MAX = 254, /* RFC 5321, 4.5.3.1.3 */
	LOOPBACK_NET = 127,
};

static const char host_letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

/* A zone is allowed, as in fe80::1%eth0 (RFC 4007, 11). */
static bool is_ipv6(const char *text)
{
	size_t len = strcspn(text, "%");
	CLEANUP(freep) char *number = xstrndup(text, len);
	const char *zone = text[len] == '%' ? text + len + 1 : NULL;
	struct in6_addr address;

	return inet_pton(AF_INET6, number, &address) == 1 &&
	       (!zone || (zone[0] && strspn(zone, host_letters) == strlen(zone)));
}

bool text_is_host(const char *host)
{
	size_t len = strlen(host);

	if (strchr(host, ':'))
		return is_ipv6(host);
	return len > 0 && len <= HOST_BYTES_MAX && strspn(host, host_letters) == len &&
	       host[0] != '.' && host[0] != '-';
}

/* Non-ASCII letters are allowed (RFC 6531). */
static bool domain_valid(const char *domain)
{
	for (const char *at = domain; *at; at++)
		if ((uint8_t)*at < 0x80 && !strchr(host_letters, *at))
			return false;
	return domain[0] != '\0' && domain[0] != '.' && domain[0] != '-';
}

bool text_is_address(const char *address)
{
	const char *at = strrchr(address, '@');

	return at && at > address && !strpbrk(address, " \t<>") &&
	       strlen(address) <= ADDRESS_BYTES_MAX && domain_valid(at + 1);
}

bool text_is_url(const char *url)
{
	size_t scheme = str_starts(url, "http://")    ? strlen("http://")
			: str_starts(url, "https://") ? strlen("https://")
						      : 0;

	return scheme > 0 && url[scheme] != '\0' && !strpbrk(url, " \t\"");
}

static bool port_valid(const char *text)
{
	uint64_t port;

	return str_parse_u64(text, &port) && port >= 1 && port <= PORT_MAX;
}

/* 127.0.0.1:9477, localhost:9477 or [::1]:9477 */
bool text_is_listen(const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
	CLEANUP(freep) char *host = bracketed ? xstrndup(text + 1, len - 2) : xstrndup(text, len);

	return colon && port_valid(colon + 1) && text_is_host(host) &&
	       bracketed == (strchr(host, ':') != NULL);
}

bool text_is_pin(const char *pin)
{
	size_t len = strlen(pin), decoded_len = 0;
	CLEANUP(freep) uint8_t *decoded = NULL;

	if (len == SHA256_HEX_MAX - 1 && strspn(pin, "0123456789abcdefABCDEF") == len)
		return true;
	return base64_decode(pin, len, &decoded, &decoded_len) && decoded_len == SHA256_BYTES;
}

bool text_is_file_name(const char *text)
{
	return text[0] != '\0' && text[0] != '.' && !strchr(text, '/') && strlen(text) <= NAME_MAX;
}

bool text_is_loopback(const char *host)
{
	struct in6_addr address;
	uint8_t bytes[sizeof(struct in_addr)];

	if (inet_pton(AF_INET6, host, &address) == 1)
		return IN6_IS_ADDR_LOOPBACK(&address);
	if (inet_pton(AF_INET, host, bytes) == 1)
		return bytes[0] == LOOPBACK_NET;
	return str_equal_case(host, "localhost");
}

bool text_is_plain(const char *text, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._+=-";

	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr(letters, text[i]))
			return false;
	return len > 0 && text[0] != '.' && text[0] != '-';
}
