#include <string.h>

#include "imap/sasl/sasl.h"
#include "support/check.h"

/* RFC 7677 section 3 */
static const char user[] = "user", password[] = "pencil", nonce[] = "rOprNGfwEbeRWgbNEkqO";
static const char server_first[] = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				   "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
static const char client_final[] = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
				   "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
static const char server_final[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

/* The error of scram_final() for this message of the server. */
static enum err_kind kind_for(const char *message)
{
	CLEANUP(scram_free) struct scram scram;
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(scram_first(&scram, NULL, user, nonce, &out, &err));
	CHECK(!scram_final(&scram, password, message, strlen(message), &out, &err));
	CHECK(!strstr(err.text, password));
	return err.kind;
}

static void plain_is_three_strings(void)
{
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(sasl_plain(NULL, "tim", "tanstaaftanstaaf", &out, &err));
	CHECK_INT(out.len, 21);
	CHECK(memcmp(out.data, "\0tim\0tanstaaftanstaaf", out.len) == 0);
	buf_reset(&out);
	CHECK_OK(sasl_plain("Ursel", "Kurt", "xipj3plmq", &out, &err));
	CHECK(out.len == 20 && memcmp(out.data, "Ursel\0Kurt\0xipj3plmq", out.len) == 0);
}

static void plain_messages_that_are_too_long_are_refused(void)
{
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(16);
	struct err err = ERR_INIT;

	CHECK(!sasl_plain(NULL, "a-long-user-name", "secret", &out, &err));
	CHECK_INT(err.kind, ERR_CONFIG);
}

static void scram_gives_the_messages_of_rfc_7677(void)
{
	CLEANUP(scram_free) struct scram scram;
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(scram_first(&scram, NULL, user, nonce, &out, &err));
	CHECK_STR(buf_str(&out), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
	buf_reset(&out);
	CHECK_OK(scram_final(&scram, password, server_first, strlen(server_first), &out, &err));
	CHECK_STR(buf_str(&out), client_final);
	CHECK_OK(scram_verify(&scram, server_final, strlen(server_final), &err));
}

static void scram_names_are_escaped(void)
{
	CLEANUP(scram_free) struct scram scram;
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(scram_first(&scram, "a,b", "c=d,e", "N", &out, &err));
	CHECK_STR(buf_str(&out), "n,a=a=2Cb,n=c=3Dd=2Ce,r=N");
}

static void scram_nonces_differ(void)
{
	CLEANUP(scram_free) struct scram one;
	CLEANUP(scram_free) struct scram two;
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(scram_first(&one, NULL, user, NULL, &out, &err));
	CHECK_OK(scram_first(&two, NULL, user, NULL, &out, &err));
	CHECK(strlen(one.nonce) == 24 && strcmp(one.nonce, two.nonce) != 0);
}

static void scram_refuses_a_server_that_cannot_prove_itself(void)
{
	static const char *const wrong[] = {
		"", "v=", "v=!", "v=AAAA", "x", "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};
	CLEANUP(scram_free) struct scram scram;
	CLEANUP(buf_wipe) struct buf out = BUF_INIT(SASL_MESSAGE_MAX);
	struct err err = ERR_INIT;

	CHECK_OK(scram_first(&scram, NULL, user, nonce, &out, &err));
	CHECK_OK(scram_final(&scram, password, server_first, strlen(server_first), &out, &err));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CHECK(!scram_verify(&scram, wrong[i], strlen(wrong[i]), &err));
		CHECK_INT(err.kind, ERR_SECURITY);
	}
	CHECK(!scram_verify(&scram, "e=invalid-proof", strlen("e=invalid-proof"), &err));
	CHECK_INT(err.kind, ERR_AUTH);
}

static void scram_limits_the_iterations(void)
{
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=1"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=4095"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=1000001"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=2147483648"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=18446744073709551617"), ERR_PROTOCOL);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=-1"), ERR_PROTOCOL);
}

static void scram_refuses_a_nonce_that_is_not_ours(void)
{
	CHECK_INT(kind_for("r=xOprNGfwEbeRWgbNEkqOabc,s=QUJD,i=4096"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqO,s=QUJD,i=4096"), ERR_SECURITY);
	CHECK_INT(kind_for("r=rOpr,s=QUJD,i=4096"), ERR_SECURITY);
}

static void scram_refuses_malformed_messages(void)
{
	CHECK_INT(kind_for(""), ERR_PROTOCOL);
	CHECK_INT(kind_for("m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=QUJD,i=4096"), ERR_PROTOCOL);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096"), ERR_PROTOCOL);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=!!,i=4096"), ERR_PROTOCOL);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,i=4096,s=QUJD"), ERR_PROTOCOL);
	CHECK_INT(kind_for("r=rOprNGfwEbeRWgbNEkqOx,s=QUJD"), ERR_PROTOCOL);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(plain_is_three_strings),
		PROMISE(plain_messages_that_are_too_long_are_refused),
		PROMISE(scram_gives_the_messages_of_rfc_7677),
		PROMISE(scram_names_are_escaped),
		PROMISE(scram_nonces_differ),
		PROMISE(scram_refuses_a_server_that_cannot_prove_itself),
		PROMISE(scram_limits_the_iterations),
		PROMISE(scram_refuses_a_nonce_that_is_not_ours),
		PROMISE(scram_refuses_malformed_messages),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
