// live_writer.h - a writer of the small city, in a folder of its own.
#ifndef LIVE_WRITER_H
#define LIVE_WRITER_H

#include "engine/live/live.h"
#include "engine/verify.h"
#include "tests/engine/live_sample.h"
#include "tests/folder.h"

static char folder[64];

static inline int make_folder(void **state)
{
    (void)state;
    // Where there is memory for it: thousands of groups are synced.
    return test_memory_folder("onemap-live", folder, sizeof folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

struct fixture {
    struct om_city *city;
    struct om_live *live;
};

static inline struct fixture begin(const struct om_live_options *options)
{
    struct fixture f = {0};
    struct om_err err = {0};
    if (om_city_open(folder, &f.city, &err)) fail_msg("%s", err.text);
    if (om_live_open(f.city, options, &f.live, &err)) fail_msg("%s", err.text);
    return f;
}

/* The same, its journal having been looked through beside the opening. */
static inline struct fixture begin_ahead(struct om_live_options options,
                                         struct om_live_ahead *ahead)
{
    options.ahead = ahead;
    const struct fixture f = begin(&options);
    om_live_ahead_end(ahead);
    return f;
}

static inline void end(struct fixture *f)
{
    om_live_close(f->live);
    om_city_close(f->city);
    *f = (struct fixture){0};
}

/* One row, written and waited for. */
static inline om_status write_one(struct om_live *live, enum om_write_kind kind,
                                  const char *id, int64_t n,
                                  struct om_write *out)
{
    struct live_batch b = {0};
    live_row(&b, id, (uint32_t)(n * 1237 % LIVE_SPAN), (uint32_t)(n % 9973), n);
    struct om_write w = {
        .layer = "spot", .kind = kind, .batch = live_batch(&b)};
    const bool given[] = {true, true, true};
    w.given = given;
    w.geometry_given = true;
    const om_status st = om_live_write_wait(live, &w);
    if (out) *out = w;
    live_batch_free(&b);
    return st;
}

/* For om_snapshot_verify. */
static inline void live_no_fault(void *ctx, const struct om_layer_verify *found)
{
    (void)ctx;
    if (found->first_fault[0]) fail_msg("%s", found->first_fault);
}

/* Each test has its own folder. */
#define LIVE_TEST(name) \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
