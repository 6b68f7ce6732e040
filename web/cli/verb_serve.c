// verb_serve.c - onemap serve: a city over HTTP until told to stop.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/base/log.h"
#include "data/json.h"
#include "web/cli/verb.h"
#include "web/server/server.h"

#define CONFIG_BYTES ((size_t)1 << 20)
#define CACHE_MIB_MAX 1048576
#define BEAT_S_MAX 86400
#define PERSONS_S_MAX (7 * 86400)
#define COMPACT_ROWS_MAX 10000000
#define JOURNAL_ROWS_MAX 1000000000

static bool is_folder(const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISDIR(s.st_mode);
}

/* Where the pages are when nobody says: beside the program as `make` leaves
 * it or as it is installed, else below the current folder. */
static const char *find_pages(char *room, size_t size)
{
    static const char *const beside[] = {"../web/pages",
                                         "../share/onemap/pages"};
    char program[1024];
    const ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n > 0) {
        program[n] = '\0';
        char *slash = strrchr(program, '/');
        if (slash) *slash = '\0';
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (!om_path_join(room, size, program, beside[i]) &&
                is_folder(room))
                return room;
    }
    return is_folder("web/pages") ? "web/pages" : NULL;
}

static unsigned whole(const struct om_json *config, const char *key,
                      int64_t max)
{
    const int64_t value = om_json_integer(om_json_get(config, key), 0);
    return value > 0 && value <= max ? (unsigned)value : 0;
}

/* Members of the configuration that the command line has not set. */
static om_status read_config(const char *path, struct om_json **document,
                             struct om_server_options *o, struct om_err *err)
{
    struct om_buf text = {0};
    om_status st = om_file_read(path, CONFIG_BYTES, &text, err);
    if (!st)
        st = om_json_parse((const char *)text.bytes, text.len, document, err);
    om_buf_deinit(&text);
    if (st) return st;
    const struct om_json *c = *document;
    if (om_json_kind(c) != OM_JSON_OBJECT)
        return om_fail(err, OM_E_FORMAT, 0, "%s: not a JSON object", path);
    static const char *const known[] = {"listen",
                                        "pages",
                                        "url",
                                        "threads",
                                        "workers",
                                        "cache_mib",
                                        "fonts",
                                        "in_charge_token_file",
                                        "read_only",
                                        "writes_per_s",
                                        "client_writes_per_s",
                                        "compact_rows",
                                        "journal_rows", "persons_s"};
    for (size_t i = 0; i < om_json_count(c); i++) {
        const char *key = "";
        size_t k = 0;
        om_json_member(c, i, &key);
        while (k < sizeof known / sizeof *known && strcmp(known[k], key) != 0)
            k++;
        if (k == sizeof known / sizeof *known)
            return om_fail(err, OM_E_FORMAT, 0, "%s: no setting '%.64s'", path,
                           key);
    }
    if (!o->listen) o->listen = om_json_text(om_json_get(c, "listen"), NULL);
    if (!o->pages) o->pages = om_json_text(om_json_get(c, "pages"), NULL);
    if (!o->url) o->url = om_json_text(om_json_get(c, "url"), NULL);
    if (!o->fonts) o->fonts = om_json_text(om_json_get(c, "fonts"), NULL);
    if (!o->charge_file)
        o->charge_file =
            om_json_text(om_json_get(c, "in_charge_token_file"), NULL);
    if (om_json_true(om_json_get(c, "read_only"), false)) o->read_only = true;
    o->writes_per_s = om_json_real(om_json_get(c, "writes_per_s"), 0);
    o->client_writes_per_s =
        om_json_real(om_json_get(c, "client_writes_per_s"), 0);
    o->compact_rows = whole(c, "compact_rows", COMPACT_ROWS_MAX);
    o->journal_rows = whole(c, "journal_rows", JOURNAL_ROWS_MAX);
    if (!o->threads) o->threads = whole(c, "threads", 64);
    if (!o->workers) o->workers = whole(c, "workers", 64);
    if (!o->beat_s) o->beat_s = whole(c, "beat_s", BEAT_S_MAX);
    o->persons_s = whole(c, "persons_s", PERSONS_S_MAX);
    if (!o->cache_bytes)
        o->cache_bytes = (size_t)whole(c, "cache_mib", CACHE_MIB_MAX) << 20;
    return OM_OK;
}

/* Read again what people edit; what is wrong leaves everything as it was. */
static void reload(struct om_server *server, const char *config,
                   const struct om_server_options *given)
{
    struct om_server_options fresh = *given;
    struct om_json *document = NULL;
    struct om_err err = {0};
    om_status st = OM_OK;
    if (config) st = read_config(config, &document, &fresh, &err);
    if (!st) st = om_server_reload(server, &fresh, &err);
    if (st)
        om_log(OM_LOG_ERROR, "serve", "not reloaded, all stays as it was: %s",
               err.text);
    else
        om_log(OM_LOG_INFO, "serve", "reloaded");
    om_json_free(document);
}

static void wait_for_stop(struct om_server *server, const char *config,
                          const struct om_server_options *given,
                          const sigset_t *signals)
{
    for (;;) {
        int which = 0;
        if (sigwait(signals, &which) != 0) continue;
        if (which != SIGHUP) break;
        reload(server, config, given);
    }
    om_log(OM_LOG_INFO, "serve", "stopping");
}

/* A link for each page, with a token of its own that ends with us. */
static void print_links(struct om_server *server)
{
    static const struct {
        const char *role, *page;
    } FACE[] = {{"wall", "wall"}, {"analyst", "analyst"}, {"admin", ""}};
    for (size_t i = 0; i < sizeof FACE / sizeof *FACE; i++) {
        char token[100];
        struct om_err err = {0};
        if (om_server_lend(server, FACE[i].role, token, sizeof token, &err))
            om_log(OM_LOG_WARN, "serve", "no link for the %s: %s", FACE[i].role,
                   err.text);
        else
            printf("  %-8s %s%s?token=%s\n", FACE[i].role,
                   om_server_address(server), FACE[i].page, token);
    }
}

int om__verb_serve(int argc, char **argv)
{
    struct om_server_options o = {0};
    const char *config = NULL, *threads = NULL, *city = NULL;
    const char *beat = NULL;
    size_t operands;
    bool help, links = false;
    const struct om_option option[] = {
        {"--listen", &o.listen, NULL},
        {"--config", &config, NULL},
        {"--pages", &o.pages, NULL},
        {"--url", &o.url, NULL},
        {"--threads", &threads, NULL},
        {"--beat", &beat, NULL},
        {"--in-charge-token-file", &o.charge_file, NULL},
        {"--read-only", NULL, &o.read_only},
        {"--links", NULL, &links},
    };
    const int usage = om__options_read("serve", argc, argv, option,
                                       sizeof option / sizeof *option, &city, 1,
                                       &operands, &help);
    if (usage || help) return usage;
    if (!operands) return om__verb_usage("serve", "which city?");
    if (threads) {
        char *end;
        const long n = strtol(threads, &end, 10);
        if (*end || n < 1 || n > 64)
            return om__verb_usage("serve", "--threads is from 1 to 64");
        o.threads = (unsigned)n;
    }
    if (beat) {
        char *end;
        const long n = strtol(beat, &end, 10);
        if (*end || n < 1 || n > BEAT_S_MAX)
            return om__verb_usage("serve", "--beat is from 1 to 86400 seconds");
        o.beat_s = (unsigned)n;
    }

    om_alloc_give_back();
    // Whoever waits for what a request takes long for is not here.
    om_progress_quiet(true);
    // All threads inherit the mask: only this one takes the signals.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // a full disk is an error, not the end

    char pages[1200];
    struct om_err err = {0};
    struct om_json *document = NULL;
    struct om_server *server = NULL;
    om_status st = OM_OK;
    o.city = city;
    const struct om_server_options given = o;  // by the command line
    if (config) st = read_config(config, &document, &o, &err);
    if (st) goto done;
    if (!o.pages) o.pages = find_pages(pages, sizeof pages);
    st = om_server_start(&o, &server, &err);
    if (st) goto done;
    printf("onemap serve: %s\n", om_server_address(server));
    if (links) print_links(server);
    fflush(stdout);
    wait_for_stop(server, config, &given, &signals);
    om_server_stop(server);
done:
    om_json_free(document);
    return st ? om__verb_fail("serve", &err) : OM_EXIT_DONE;
}
