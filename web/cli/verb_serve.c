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
#include "web/cli/serve_config.h"
#include "web/cli/verb.h"
#include "web/server/server.h"

static bool is_folder(const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISDIR(s.st_mode);
}

/* Where the pages are when nobody says: beside the program where `make` leaves
 * it or as it is installed, else below the current folder. */
static const char *find_pages(char *room, size_t size)
{
    static const char *const beside[] = {"../web/pages", "../../web/pages",
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

/* Read again what people edit; what is wrong leaves everything as it was. */
static void reload(struct om_server *server, const char *config,
                   const struct om_server_options *given)
{
    struct om_server_options fresh = *given;
    struct om_json *document = NULL;
    struct om_err err = {0};
    om_status st = OM_OK;
    if (config) st = om__serve_config_read(config, &document, &fresh, &err);
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
static void print_links(struct om_server *server, const char *url)
{
    // Links are for people: by the address that they have it under.
    const char *address = url ? url : om_server_address(server);
    const size_t len = strlen(address);
    const char *slash = len && address[len - 1] == '/' ? "" : "/";
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
            printf("  %-8s %s%s%s?token=%s\n", FACE[i].role, address, slash,
                   FACE[i].page, token);
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
        if (*end || n < 1 || n > OM__BEAT_S_MAX)
            return om__verb_usage("serve", "--beat is from 1 to 86400 seconds");
        o.beat_s = (unsigned)n;
    }

    umask(077);  // what is in a city is for its owner only
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
    if (config) st = om__serve_config_read(config, &document, &o, &err);
    if (st) goto done;
    if (!o.pages) o.pages = find_pages(pages, sizeof pages);
    st = om_server_start(&o, &server, &err);
    if (st) goto done;
    printf("onemap serve: %s\n", om_server_address(server));
    if (links) print_links(server, o.url);
    fflush(stdout);
    wait_for_stop(server, config, &given, &signals);
    om_server_stop(server);
done:
    om_json_free(document);
    return st ? om__verb_fail("serve", &err) : OM_EXIT_DONE;
}
