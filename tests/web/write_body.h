// write_body.h - bodies of writes to a layer of the sample, read from memory.
#ifndef WRITE_BODY_H
#define WRITE_BODY_H

#include "tests/engine/query_sample.h"
#include "web/write.h"

#define ZONE_S (8 * 3600)

static struct sample sample;

static inline om_status gather(void *ctx, const void *bytes, size_t len)
{
    return om_buf_add(ctx, bytes, len);
}

static inline struct om_body_rules plain_rules(void)
{
    return (struct om_body_rules){.layer = &sample.layer, .zone_s = ZONE_S};
}

/* Read text in pieces of `step` bytes (0: dice). */
static inline om_status read_body(const struct om_body_rules *rules,
                                  enum om_body_form form, const char *text,
                                  size_t len, size_t step, struct om_body **out,
                                  struct om_err *err)
{
    om_status st = om_body_new(rules, form, out, err);
    for (size_t at = 0, n; !st && at < len; at += n) {
        n = step ? step : 1 + dice(300);
        if (n > len - at) n = len - at;
        st = om_body_add(*out, text + at, n, err);
    }
    return st ? st : om_body_end(*out, err);
}

static inline struct om_body *read_good(const struct om_body_rules *rules,
                                        enum om_body_form form,
                                        const char *text)
{
    struct om_body *body = NULL;
    struct om_err err = {0};
    if (read_body(rules, form, text, strlen(text), 64, &body, &err))
        fail_msg("%s", err.text);
    return body;
}

static inline int make(void **state)
{
    (void)state;
    const size_t rows[] = {3000, 500};
    sample_make(&sample, 2, rows, 9);
    return 0;
}

static inline int unmake(void **state)
{
    (void)state;
    sample_free(&sample);
    return 0;
}

static inline void check_text(const struct om_batch_column *c, size_t row,
                              const char *text)
{
    const size_t len = c->offset[row + 1] - c->offset[row];
    assert_int_equal(len, strlen(text));
    assert_memory_equal(c->bytes + c->offset[row], text, len);
}

static inline bool has_value(const struct om_batch_column *c, size_t row)
{
    return !c->valid || om_bit(c->valid, row);
}

#endif
