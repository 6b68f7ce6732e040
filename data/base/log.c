// log.c - lines on stderr.
#include "data/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SECONDS \
    3.0  // between two progress lines that are not on a terminal
#define BAR_SECONDS 0.1  // between two redraws of the bar
#define BAR_CELLS 30

static atomic_int log_level = OM_LOG_INFO;
static atomic_bool progress_quiet;
static pthread_mutex_t progress_lock = PTHREAD_MUTEX_INITIALIZER;
static double progress_last_s;  // guarded by progress_lock
static bool bar_drawn;          // guarded by progress_lock

double om_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int64_t om_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void om_log_set_level(enum om_log_level level)
{
    atomic_store(&log_level, (int)level);
}

void om_log(enum om_log_level level, const char *area, const char *format, ...)
{
    static const char *const NAME[] = {"error", "warn", "info", "debug"};
    if ((int)level > atomic_load(&log_level)) return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
    fprintf(stderr, "%s %s: %s\n", NAME[level], area, text);
}

void om_progress_quiet(bool quiet)
{
    atomic_store(&progress_quiet, quiet);
}

static void draw_bar(const char *what, uint64_t done, uint64_t total)
{
    const int full =
        total ? (int)((double)done / (double)total * BAR_CELLS) : 0;
    fprintf(stderr, "\r%-24s [", what);
    for (int i = 0; i < BAR_CELLS; i++) fputc(i < full ? '#' : ' ', stderr);
    fprintf(stderr, "] %llu", (unsigned long long)done);
    if (total) fprintf(stderr, " / %llu", (unsigned long long)total);
    fputs("\033[K", stderr);
    fflush(stderr);
    bar_drawn = true;
}

void om_progress(const char *what, uint64_t done, uint64_t total)
{
    if (atomic_load(&progress_quiet)) return;
    const bool terminal = isatty(STDERR_FILENO);
    const double now = om_seconds();
    pthread_mutex_lock(&progress_lock);
    if (progress_last_s == 0.0) progress_last_s = now;
    if (now - progress_last_s >= (terminal ? BAR_SECONDS : LINE_SECONDS)) {
        progress_last_s = now;
        if (terminal)
            draw_bar(what, done, total);
        else if (total)
            fprintf(stderr, "%s: %llu of %llu\n", what,
                    (unsigned long long)done, (unsigned long long)total);
        else
            fprintf(stderr, "%s: %llu\n", what, (unsigned long long)done);
    }
    pthread_mutex_unlock(&progress_lock);
}

void om_progress_done(const char *what, uint64_t done, double seconds)
{
    if (atomic_load(&progress_quiet)) return;
    pthread_mutex_lock(&progress_lock);
    fprintf(stderr, "%s%s: %llu in %.2f s\n", bar_drawn ? "\r\033[K" : "", what,
            (unsigned long long)done, seconds);
    bar_drawn = false;
    progress_last_s = 0.0;
    pthread_mutex_unlock(&progress_lock);
}
