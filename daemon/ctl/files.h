/* What the daemon and carillonctl read from disk: configuration, rules, lists, profiles, secrets. Writes nothing. */
#ifndef CARILLON_CTL_FILES_H
#define CARILLON_CTL_FILES_H

#include "base/error.h"
#include "model/bundle.h"
#include "model/config.h"

#define CARILLON_ETC "/etc/carillon"

/* Where shipped files are: $CARILLON_DATA, the source tree when the program runs from its build folder, else the
 * installed place. Caller frees. */
char *files_data_dir(void);

/* Everything that a generation is compiled from. config_path NULL: /etc/carillon/carillon.yaml if it is there, else the
 * defaults alone. Findings for what cannot be read; NULL config on errors (the bundle is then incomplete). */
struct config *files_read(const char *config_path, struct bundle *b, struct findings *f) MUST_CHECK;
/* The configuration alone: neither rules nor profiles are looked at. */
struct config *files_read_config(const char *config_path, struct bundle *b, struct findings *f) MUST_CHECK;
/* Adds one rule file and its NAME.test.yaml, or all *.yaml below a folder, with the lists that they name. */
void files_add_rules(struct bundle *b, const char *path, struct findings *f);
/* Adds the compiled MIB tables (*.mib) of a folder, in order of their names. */
void files_add_mibs(struct bundle *b, const char *dir, struct findings *f);
/* The file, or -1 with err; at most `max` octets. */
int files_slurp(const char *path, size_t max, struct buf *out, struct error *err) MUST_CHECK;
/* The value of cred:NAME or file:/path (config.md section 2); a trailing newline is cut. The caller wipes `out`. */
int files_secret(const char *ref, struct buf *out, struct error *err) MUST_CHECK;
/* What a listener needs for TLS: certificate, key and client_ca, each with its length (buf_lslice), client_ca absent if
 * there is none. The texts are as in the files; whether they fit is net/tls.h's to say. The caller wipes `out`. */
int files_tls(const struct listener_config *l, struct buf *out, struct error *err) MUST_CHECK;

#endif
