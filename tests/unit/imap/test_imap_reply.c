#include <string.h>

#include "support/check.h"
#include "support/imap/show_reply.h"

struct sample {
	const char *bytes;
	const char *wanted;
};

static void check_samples(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_pieces(show_replies, samples[i].bytes, strlen(samples[i].bytes),
			samples[i].wanted);
}

#define CHECK_SAMPLES(...)                                                                         \
	do {                                                                                       \
		static const struct sample samples_[] = {__VA_ARGS__};                             \
		check_samples(samples_, ARRAY_LEN(samples_));                                      \
	} while (0)

static void greetings_and_tagged_replies(void)
{
	CHECK_SAMPLES({"* OK Gimap ready for requests from 192.0.2.1 a1mb2\r\n",
			      "status  OK text=Gimap ready for requests from 192.0.2.1 a1mb2\n"},
		{"* OK The Microsoft Exchange IMAP4 service is ready. [QgBMADIAUABSAA==]\r\n",
			"status  OK text=The Microsoft Exchange IMAP4 service is ready. "
			"[QgBMADIAUABSAA==]\n"},
		{"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS] Dovecot ready.\r\n",
			"status  OK code=CAPABILITY word=IMAP4rev1 word=SASL-IR "
			"word=LOGIN-REFERRALS text=Dovecot ready.\n"},
		{"* PREAUTH hello\r\n* BYE [unavailable] later\r\n",
			"status  PREAUTH text=hello\nstatus  BYE code=UNAVAILABLE text=later\n"},
		{"a1 ok\r\nA2 NO\r\na3 BAD \r\n", "tagged a1 OK\ntagged A2 NO\ntagged a3 BAD\n"},
		{"A1 OK Success [THROTTLED]\r\n", "tagged A1 OK text=Success [THROTTLED]\n"},
		{"A1 NO [ALERT] Too many simultaneous connections. (Failure)\r\n",
			"tagged A1 NO code=ALERT text=Too many simultaneous connections. "
			"(Failure)\n"},
		{"A1 OK Thats all she wrote! x2mb\r\n",
			"tagged A1 OK text=Thats all she wrote! x2mb\n"},
		{"+ idling\r\n+\r\n+ \r\n+ cj1abc==\r\n",
			"continue text=idling\ncontinue\ncontinue\ncontinue text=cj1abc==\n"}, );
}

static void response_codes_of_every_shape(void)
{
	CHECK_SAMPLES({"* OK [UIDVALIDITY 3857529045] UIDs valid\r\n",
			      "status  OK code=UIDVALIDITY number=3857529045 text=UIDs valid\n"},
		{"* OK [UIDNEXT 4392] next\r\n", "status  OK code=UIDNEXT number=4392 text=next\n"},
		{"* OK [HIGHESTMODSEQ 79154]\r\n", "status  OK code=HIGHESTMODSEQ number=79154\n"},
		{"* OK [HIGHESTMODSEQ 0] x\r\n", "status  OK code=HIGHESTMODSEQ text=x\n"},
		{"* OK [NOMODSEQ] no\r\n", "status  OK code=NOMODSEQ text=no\n"},
		{"* OK [PERMANENTFLAGS (\\Deleted \\seen a]b \\*)] Limited\r\n",
			"status  OK code=PERMANENTFLAGS flags=\\* \\Deleted \\Seen a]b "
			"text=Limited\n"},
		{"* OK [PERMANENTFLAGS ()] none\r\n",
			"status  OK code=PERMANENTFLAGS flags= text=none\n"},
		{"A1 OK [READ-ONLY] x\r\nA1 OK [read-write] x\r\n* OK [CLOSED] x\r\n",
			"tagged A1 OK code=READ-ONLY text=x\ntagged A1 OK code=READ-WRITE text=x\n"
			"status  OK code=CLOSED text=x\n"},
		{"A1 OK [APPENDUID 38505 3955] done\r\nA1 OK [APPENDUID 1 7:5,9] done\r\n",
			"tagged A1 OK code=APPENDUID number=38505 set=3955 text=done\n"
			"tagged A1 OK code=APPENDUID number=1 set=5:7,9 text=done\n"},
		{"A1 NO [REFERRAL imap://x@h/;A=*/[b]?c\"] away\r\n",
			"tagged A1 NO code=REFERRAL text=away\n"},
		{"* OK [X-FOO (a (b [c)) \"]\" {2}\r\n]] d[e]f 12] text\r\n",
			"status  OK other=X-FOO text=text\n"},
		{"A1 NO [MESSAGELIMIT 1000 23221] x\r\nA1 BAD [CLIENTBUG] y\r\n",
			"tagged A1 NO other=MESSAGELIMIT text=x\n"
			"tagged A1 BAD other=CLIENTBUG text=y\n"},
		{"A1 NO [NONEXISTENT] Unknown Mailbox: [Gmail] (now in x) (Failure)\r\n",
			"tagged A1 NO code=NONEXISTENT text=Unknown Mailbox: [Gmail] (now in x) "
			"(Failure)\n"},
		{"* NO [ALERT never closed\r\n* NO [] x\r\n* NO [\"a\" b] x\r\n",
			"status  NO code=ALERT\nstatus  NO text=x\nstatus  NO text=x\n"},
		{"+ [x y] go\r\n", "continue other=X text=go\n"}, );
}

static void codes_with_impossible_arguments_count_as_unknown(void)
{
	CHECK_SAMPLES(
		{"* OK [UIDVALIDITY 0] x\r\n* OK [UIDVALIDITY 4294967296] x\r\n"
		 "* OK [UIDNEXT -1] x\r\n* OK [UIDNEXT] x\r\n* OK [UIDNEXT (5)] x\r\n",
			"status  OK other=UIDVALIDITY text=x\nstatus  OK other=UIDVALIDITY text=x\n"
			"status  OK other=UIDNEXT text=x\nstatus  OK other=UIDNEXT text=x\n"
			"status  OK other=UIDNEXT text=x\n"},
		{"* OK [HIGHESTMODSEQ 9223372036854775807] x\r\n",
			"status  OK code=HIGHESTMODSEQ number=9223372036854775807 text=x\n"},
		{"* OK [HIGHESTMODSEQ 9223372036854775808] x\r\n* OK [HIGHESTMODSEQ -1] x\r\n",
			"status  OK other=HIGHESTMODSEQ text=x\n"
			"status  OK other=HIGHESTMODSEQ text=x\n"},
		{"A OK [APPENDUID] x\r\nA OK [APPENDUID 0 1] x\r\nA OK [APPENDUID 1 ] x\r\n"
		 "A OK [APPENDUID 1 1,] x\r\nA OK [APPENDUID 1 0] x\r\nA OK [APPENDUID x y] x\r\n"
		 "A OK [APPENDUID 1 *] x\r\nA OK [APPENDUID 4294967296 1] x\r\n",
			"tagged A OK other=APPENDUID text=x\ntagged A OK other=APPENDUID text=x\n"
			"tagged A OK other=APPENDUID text=x\ntagged A OK other=APPENDUID text=x\n"
			"tagged A OK other=APPENDUID text=x\ntagged A OK other=APPENDUID text=x\n"
			"tagged A OK other=APPENDUID text=x\ntagged A OK other=APPENDUID text=x\n"},
		{"* OK [PERMANENTFLAGS NIL] x\r\n", "status  OK other=PERMANENTFLAGS text=x\n"},
		{"* OK [COPYUID 14  ] x\r\n", "status  OK other=COPYUID text=x\n"}, );
}

static void a_giant_appenduid_set_stays_a_range(void)
{
	CHECK_SAMPLES({"A OK [APPENDUID 1 1:4294967295] x\r\n",
		"tagged A OK code=APPENDUID number=1 set=1:4294967295 text=x\n"});
}

static void capabilities_and_enabled(void)
{
	CHECK_SAMPLES({"* CAPABILITY IMAP4rev1 AUTH=PLAIN LITERAL+ \r\n",
			      "capability word=IMAP4rev1 word=AUTH=PLAIN word=LITERAL+\n"},
		{"* CAPABILITY\r\n", "capability\n"},
		{"* ENABLED QRESYNC\r\n* enabled\r\n", "enabled word=QRESYNC\nenabled\n"}, );
}

static void folders_in_every_spelling(void)
{
	CHECK_SAMPLES(
		{"* LIST (\\HasNoChildren) \"/\" INBOX\r\n",
			"list name=INBOX delimiter=/ no-children attributes=\\HasNoChildren\n"},
		{"* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"\r\n",
			"list name=[Gmail]/All Mail delimiter=/ no-children use=\\All "
			"attributes=\\All \\HasNoChildren\n"},
		{"* LSUB () \".\" {7}\r\na\"b (c)\r\n",
			"list name=a\"b (c) delimiter=. attributes=\n"},
		{"* LIST (\\noselect \\HASCHILDREN) NIL \"\"\r\n",
			"list name= delimiter=0 noselect children "
			"attributes=\\noselect \\HASCHILDREN\n"},
		{"* LIST (\\NonExistent \\Subscribed \\Junk \\Sent) \"\\\\\" \"a\\\\b\\\"\"\r\n",
			"list name=a\\b\" delimiter=\\ noselect nonexistent subscribed use=\\Junk "
			"attributes=\\NonExistent \\Subscribed \\Junk \\Sent\n"},
		{"* LIST () \"/\" \"Foo\" (\"CHILDINFO\" (\"SUBSCRIBED\") "
		 "\"OLDNAME\" ({1}\r\n(x))\r\n",
			"list name=Foo delimiter=/ attributes=\n"},
		{"* LIST () \"/\" tab\there\r\n",
			"list name=tab\\09here delimiter=/ attributes=\n"},
		{"* LIST () \"/\" [Gmail]/Trash\r\n",
			"list name=[Gmail]/Trash delimiter=/ attributes=\n"},
		{"* LIST () \"/\" Deleted Items x\r\n",
			"list name=Deleted Items x delimiter=/ attributes=\n"},
		{"* LIST () / NIL\r\n* LIST () \"\" x \r\n",
			"list name=NIL delimiter=/ attributes=\n"
			"list name=x delimiter=0 attributes=\n"},
		{"* LIST () \"/\" caf\xc3\xa9\r\n",
			"list name=caf\\c3\\a9 delimiter=/ attributes=\n"},
		{"* LIST () \"/\" 12\r\n* LIST () \"/\" {0}\r\n\r\n",
			"list name=12 delimiter=/ attributes=\n"
			"list name= delimiter=/ attributes=\n"}, );
}

static void folders_that_cannot_be_named_end_the_session(void)
{
	static const char nul[] = "* LIST () \"/\" {3}\r\na\0b\r\n";

	CHECK_SAMPLES({"* LIST () \"/\"\r\n", "!malformed response: folder name"},
		{"* LIST () \"//\" x\r\n", "!malformed response: LIST delimiter"},
		{"* LIST () () x\r\n", "!malformed response: LIST delimiter"},
		{"* LIST \"/\" x\r\n", "!malformed response: LIST without attributes"},
		{"* LIST (\"a\") \"/\" x\r\n", "!malformed response: LIST attribute"}, );
	check_pieces(show_replies, nul, sizeof(nul) - 1, "!malformed response: folder name");
}

static void counts_of_folders(void)
{
	CHECK_SAMPLES({"* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 1 UNSEEN 3 "
		       "HIGHESTMODSEQ 7011231777)\r\n",
			      "status-of name=blurdybloop messages=231 uidnext=44292 uidvalidity=1 "
			      "unseen=3 highestmodseq=7011231777\n"},
		{"* STATUS INBOX (MESSAGES 0) \r\n", "status-of name=INBOX messages=0\n"},
		{"* STATUS \"a b\" ()\r\n* STATUS {1}\r\nx\r\n",
			"status-of name=a b\nstatus-of name=x\n"},
		{"* STATUS Deleted Items (MESSAGES 4)\r\n",
			"status-of name=Deleted Items messages=4\n"},
		{"* STATUS x (MAILBOXID (F1) MESSAGES 4294967296 UIDNEXT -1 UNSEEN 9.3e6 "
		 "HIGHESTMODSEQ 18446744073709551615 UIDVALIDITY 7 (x) DELETED)\r\n",
			"status-of name=x uidvalidity=7\n"},
		{"* STATUS ({1}\r\nx)\r\n", "!malformed response: folder name"}, );
}

static void namespaces(void)
{
	CHECK_SAMPLES({"* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"shared.\" \".\"))\r\n",
			      "namespace prefix=INBOX. delimiter=. word=shared.\n"},
		{"* NAMESPACE ((\"\" \"/\" \"X-PARAM\" (\"a\" \"b\"))(\"#mh/\" \"/\")) "
		 "((\"~\" \"/\")) NIL\r\n",
			"namespace prefix= delimiter=/ word=~\n"},
		{"* NAMESPACE NIL NIL NIL\r\n", "namespace\n"},
		{"* NAMESPACE ((\"\" NIL)) NIL NIL\r\n", "namespace prefix= delimiter=0\n"},
		{"* NAMESPACE\r\n", "namespace\n"}, );
}

static void searches(void)
{
	CHECK_SAMPLES({"* SEARCH\r\n* SEARCH \r\n", "search\nsearch\n"},
		{"* SEARCH 2 3 5 4 900 1\r\n", "search set=1:5,900\n"},
		{"* SEARCH 2 5 (MODSEQ 917162500)\r\n", "search modseq=917162500 set=2,5\n"},
		{"* SEARCH 0 4294967296 9.3736e+06 -1 7 99999999999999999999999 (X) 8\r\n",
			"search set=7:8\n"},
		{"* ESEARCH (TAG \"A282\") MIN 2 COUNT 3\r\n", "esearch tag=A282\n"},
		{"* ESEARCH (TAG \"A1\") UID ALL 43,1:5 MODSEQ 12\r\n",
			"esearch tag=A1 uids modseq=12 set=1:5,43\n"},
		{"* ESEARCH UID COUNT 0\r\n", "esearch uids\n"},
		{"* ESEARCH (TAG \"A1\") UID\r\n", "esearch tag=A1 uids\n"},
		{"* ESEARCH (MAILBOX \"x\" TAG {2}\r\nA1 X (ALL)) UID ALL 4294967295:1\r\n",
			"esearch tag=A1 uids set=1:4294967295\n"},
		{"* ESEARCH ALL 1,2,\r\n", "!malformed set of numbers"},
		{"* ESEARCH ALL 0\r\n", "!malformed set of numbers"}, );
}

static void expunged_messages(void)
{
	CHECK_SAMPLES({"* 44 EXPUNGE\r\n* 0 expunge\r\n", "expunge n=44\nexpunge n=0\n"},
		{"* VANISHED (EARLIER) 41,43:116,118\r\n", "vanished earlier set=41,43:116,118\n"},
		{"* VANISHED 405,407\r\n", "vanished set=405,407\n"},
		{"* VANISHED 1:4294967295\r\n", "vanished set=1:4294967295\n"},
		{"* VANISHED 1,2,\r\n", "!malformed set of numbers"},
		{"* VANISHED\r\n", "!malformed response: VANISHED without a set"},
		{"* VANISHED 1:*\r\n", "!malformed set of numbers"}, );
}

static void numbers_of_the_folder(void)
{
	CHECK_SAMPLES({"* 172 EXISTS\r\n* 1 RECENT\r\n* 4294967295 EXISTS\r\n",
			      "exists n=172\nrecent n=1\nexists n=4294967295\n"},
		{"* 4294967296 EXISTS\r\n* 18446744073709551616 EXISTS\r\n* -1 EXISTS\r\n* 5\r\n",
			"other\nother\nother\nother\n"},
		{"* FLAGS (\\Answered \\recent $Junk \\Seen junk $JUNK)\r\n",
			"flags flags=$JUNK \\Answered \\Seen junk\n"}, );
}

static void identities(void)
{
	CHECK_SAMPLES({"* ID NIL\r\n* ID (\"name\" \"Cyrus\" \"os\" NIL {1}\r\nx \"y\")\r\n",
		"id\nid word=name word=Cyrus word=os word= word=x word=y\n"});
}

static void fetched_items_in_any_order(void)
{
	CHECK_SAMPLES({"* 1 FETCH (RFC822.SIZE 45274 UID 84)\r\n", "fetch n=1 uid=84 size=45274\n"},
		{"* 12 FETCH (FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" UID 7 "
		 "MODSEQ (624140003))\r\n",
			"fetch n=12 uid=7 flags=$x \\Seen date=837596665/-420 "
			"date-text=17-Jul-1996 02:44:25 -0700 modseq=624140003\n"},
		{"* 3 UIDFETCH (FLAGS () MODSEQ 5)\r\n", "fetch n=3 uid=3 flags= modseq=5\n"},
		{"* 0 FETCH (FLAGS ())\r\n", "fetch n=0 flags=\n"},
		{"* 4 fetch (uid 1 flags(\\SEEN)rfc822.size 2)\r\n",
			"fetch n=4 uid=1 flags=\\Seen size=2\n"},
		{"* 4 FETCH ()\r\n", "fetch n=4\n"},
		{"* 4 FETCH (UID 9 BODY[HEADER.FIELDS (MESSAGE-ID)] {4}\r\na: b)\r\n",
			"fetch n=4 uid=9 header=a: b\n"},
		{"* 4 FETCH (BODY[HEADER.FIELDS (\"MESSAGE-ID\")] \"\" UID 9)\r\n",
			"fetch n=4 uid=9 header=\n"},
		{"* 4 FETCH (BODY[HEADER] NIL UID 9)\r\n", "fetch n=4 uid=9\n"}, );
}

static void bodies_go_to_the_sink(void)
{
	CHECK_SAMPLES({"* 1 FETCH (UID 7 BODY[] {5}\r\na)\r\nb FLAGS ())\r\n",
			      "body 5:a)\\0d\\0ab;fetch n=1 uid=7 flags= body=5\n"},
		{"* 1 FETCH (BODY[] ~{2}\r\n\"\\ UID 7)\r\n",
			"body 2:\"\\;fetch n=1 uid=7 body=2\n"},
		{"* 1 FETCH (BODY[] {0}\r\n UID 7)\r\n", "body 0:;fetch n=1 uid=7 body=0\n"},
		{"* 1 FETCH (BODY[] \"a\\\"b\" UID 7)\r\n", "body 3:a\"b;fetch n=1 uid=7 body=3\n"},
		{"* 1 FETCH (BODY[] \"\" UID 7)\r\n", "body 0:;fetch n=1 uid=7 body=0\n"},
		{"* 1 FETCH (BODY[]<0> {1}\r\nx UID 7)\r\n", "body 1:x;fetch n=1 uid=7 body=1\n"},
		{"* 1 FETCH (BODY[] NIL UID 7)\r\n", "fetch n=1 uid=7 body=NIL\n"},
		{"* 7 UIDFETCH (BODY[]{1}\r\nx)\r\n", "body 1:x;fetch n=7 uid=7 body=1\n"}, );
}

static void other_literals_are_no_body(void)
{
	CHECK_SAMPLES({"* 1 FETCH (BODY[]<5> {1}\r\nx UID 7)\r\n", "fetch n=1 uid=7\n"},
		{"* 1 FETCH (BODY[TEXT] {1}\r\nx RFC822 {1}\r\ny UID 7)\r\n", "fetch n=1 uid=7\n"},
		{"* 1 FETCH (X (BODY[] {1}\r\nx) UID 7)\r\n", "fetch n=1 uid=7\n"},
		{"* X FETCH (BODY[] {1}\r\nx)\r\n* 1 BODY[] {1}\r\nx\r\n", "other\nother\n"}, );
	CHECK_SAMPLES({"* 1 FETCH (BODY[] {1}\r\nx BODY[] {1}\r\ny)\r\n",
		"body 1:x;!malformed response: FETCH with two bodies"});
}

static void bodies_are_skipped_without_a_sink(void)
{
	static const char bytes[] = "* 1 FETCH (BODY[] {3}\r\nabc UID 7)\r\n";

	check_pieces(
		show_replies_without_sink, bytes, sizeof(bytes) - 1, "fetch n=1 uid=7 body=3\n");
}

static void unknown_items_and_responses_are_skipped(void)
{
	CHECK_SAMPLES(
		{"* 1 FETCH (X-GM-MSGID 1278 EMAILID (M6d99) THREADID NIL X ((a) \"(\" {3}\r\n)))) "
		 "UID 7 Y)\r\n",
			"fetch n=1 uid=7\n"},
		{"* 1 FETCH (ENVELOPE (\"d\" \"s\" ((\"n\" NIL \"a\" \"h\")) NIL) \"x\" (UID 3) "
		 "UID 7)\r\n",
			"fetch n=1 uid=7\n"},
		{"* QUOTA \"\" (STORAGE 10 512)\r\n* 23 FOO {5}\r\nA1 OK\r\n* X\r\n*\r\n",
			"other\nother\nother\nother\n"},
		{"* LANGUAGE (EN)\r\n* METADATA \"\" (/x {4}\r\n* OK)\r\n", "other\nother\n"}, );
}

static void unusable_items_are_absent_and_counted(void)
{
	CHECK_SAMPLES({"* 1 FETCH (UID 0 RFC822.SIZE 9.3736e+06 MODSEQ (-1))\r\n",
			      "fetch n=1 bad-items=3\n"},
		{"* 1 FETCH (UID 4294967296 RFC822.SIZE -1 MODSEQ (9223372036854775808))\r\n",
			"fetch n=1 bad-items=3\n"},
		{"* 1 FETCH (UID (3) MODSEQ () FLAGS NIL RFC822.SIZE NIL INTERNALDATE NIL)\r\n",
			"fetch n=1 bad-items=5 date-text=NIL\n"},
		{"* 1 FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" UID 2)\r\n",
			"fetch n=1 uid=2 bad-items=1 date-text=00-Jan-0000 00:00:00 +0000\n"},
		{"* 1 FETCH (RFC822.SIZE 18446744073709551615 UID 4294967295)\r\n",
			"fetch n=1 uid=4294967295 size=18446744073709551615\n"},
		{"* 1 FETCH (FLAGS (\\Seen a\"b caf\xc3\xa9 \"x y\" ok (n) \\* a% \\) UID 1)\r\n",
			"fetch n=1 uid=1 flags=\\Seen ok bad-flags=7\n"},
		{"* 1 FETCH (UID)\r\n", "fetch n=1 bad-items=1\n"}, );
}

static void lines_without_a_tag_are_something_else(void)
{
	CHECK_SAMPLES({"[COPYUID 124 10 233]\r\nServer Unavailable. 15\r\n", "other\nother\n"},
		{"<html><body class=\"x\">\r\n  )(\r\n\r\n</body>\r\nA1 BAD no\r\n",
			"other\nother\nother\nother\ntagged A1 BAD text=no\n"},
		{"A1 BYE x\r\nA1 PREAUTH x\r\nA1\r\n*OK x\r\n", "other\nother\nother\nother\n"},
		{"* [COPYUID 124 10 233]\r\n", "other\n"}, );
	check_pieces(
		show_replies, "\0\0* OK x\r\n\0A OK\r\n", 18, "status  OK text=x\ntagged A OK\n");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(greetings_and_tagged_replies),
		PROMISE(response_codes_of_every_shape),
		PROMISE(codes_with_impossible_arguments_count_as_unknown),
		PROMISE(a_giant_appenduid_set_stays_a_range),
		PROMISE(capabilities_and_enabled),
		PROMISE(folders_in_every_spelling),
		PROMISE(folders_that_cannot_be_named_end_the_session),
		PROMISE(counts_of_folders),
		PROMISE(namespaces),
		PROMISE(searches),
		PROMISE(expunged_messages),
		PROMISE(numbers_of_the_folder),
		PROMISE(identities),
		PROMISE(fetched_items_in_any_order),
		PROMISE(bodies_go_to_the_sink),
		PROMISE(other_literals_are_no_body),
		PROMISE(bodies_are_skipped_without_a_sink),
		PROMISE(unknown_items_and_responses_are_skipped),
		PROMISE(unusable_items_are_absent_and_counted),
		PROMISE(lines_without_a_tag_are_something_else),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
