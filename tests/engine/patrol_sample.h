// patrol_sample.h - a town of houses, shops and visits, to be judged.
#ifndef OM_TESTS_ENGINE_PATROL_SAMPLE_H
#define OM_TESTS_ENGINE_PATROL_SAMPLE_H

#include <stdio.h>

#include "data/model/time.h"
#include "engine/coverage/patrol.h"
#include "tests/engine/duty_sample.h"

/* Windows. */
#define MAY "2023-05-01", "2023-06-01"
#define JUNE "2023-06-01", "2023-07-01"

enum { ID, LEVEL, SINCE };  // columns of houses
enum { VISIT_LAYER = 1, TARGET, AT, VERIFIED };

static const char DUTY[] =
    "{\"duty\":{\"targets\":[{\"layer\":\"house\",\"level\":\"level\","
    "\"since\":\"since\",\"tables\":["
    "{\"from\":\"2024-01-01\",\"visits\":{\"low\":2,\"mid\":3,\"high\":4}},"
    "{\"from\":\"2023-01-01\",\"visits\":{\"low\":1,\"mid\":2,\"high\":4,"
    "\"none\":0}}],\"risk\":{\"high\":8,\"low\":0.5}},"
    "{\"layer\":\"shop\",\"level\":\"level\",\"tables\":[{\"from\":"
    "\"2023-02-01\",\"visits\":{\"A\":1,\"B\":3}}]}],"
    "\"visits\":{\"layer\":\"visit\",\"target_layer\":\"layer\",\"target\":"
    "\"target\",\"at\":\"at\"%s}}}";

struct town {
    struct city_sample city;
    struct duty_rows house, shop, visit;
    struct om_duty duty;
    struct om_selection *selection[2];
};

static inline void begin(struct town *t)
{
    *t = (struct town){.house = duty_rows(400),
                       .shop = duty_rows(400),
                       .visit = duty_rows(8000)};
    city_begin(&t->city);
    duty_column(&t->house, "level", OM_TYPE_CATEGORY);
    duty_column(&t->house, "since", OM_TYPE_TIME);
    duty_column(&t->shop, "level", OM_TYPE_CATEGORY);
    duty_column(&t->visit, "layer", OM_TYPE_CATEGORY);
    duty_column(&t->visit, "target", OM_TYPE_TEXT);
    duty_column(&t->visit, "at", OM_TYPE_TIME);
    duty_column(&t->visit, "ok", OM_TYPE_BOOLEAN);
}

static inline void add_house(struct town *t, const char *id, const char *level,
                             const char *since)
{
    const struct om_pos pos = {3400000100u, 1800000100u};
    duty_add(&t->house, pos, id);
    duty_text(&t->house, LEVEL, level);
    duty_number(&t->house, SINCE, since ? duty_at(since) : DUTY_NONE);
}

static inline void add_visit_at(struct town *t, const char *layer,
                                const char *target, int64_t at_s,
                                int64_t verified)
{
    char id[32];
    const struct om_pos pos = {3400000100u, 1800000100u};
    snprintf(id, sizeof id, "v%zu", t->visit.count);
    duty_add(&t->visit, pos, id);
    duty_text(&t->visit, VISIT_LAYER, layer);
    duty_text(&t->visit, TARGET, target);
    duty_number(&t->visit, AT, at_s);
    duty_number(&t->visit, VERIFIED, verified);
}

static inline void add_visit(struct town *t, const char *target, const char *at)
{
    add_visit_at(t, "house", target, duty_at(at), 1);
}

/* Write the layers and read the duty. */
static inline void build(struct town *t, bool verified)
{
    char text[2048];
    duty_units(&t->city, "grid", 4, "g");
    duty_layer(&t->city, "house", &t->house);
    duty_layer(&t->city, "shop", &t->shop);
    duty_layer(&t->city, "visit", &t->visit);
    snprintf(text, sizeof text, DUTY, verified ? ",\"verified\":\"ok\"" : "");
    duty_document(&t->city, text);
    struct om_err err = {0};
    if (om_duty_read(&t->city.snapshot, &t->duty, &err)) {
        print_error("%s\n", err.text);
        fail();
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(om_select(NULL, t->duty.target[i].layer, NULL,
                                   (struct om_window){0}, &t->selection[i]),
                         OM_OK);
}

static inline void end(struct town *t)
{
    for (size_t i = 0; i < 2; i++) om_selection_unref(t->selection[i]);
    om_duty_deinit(&t->duty);
    om_json_free(t->city.manifest.document);
    city_end(&t->city);
    duty_rows_free(&t->house);
    duty_rows_free(&t->shop);
    duty_rows_free(&t->visit);
}

static inline struct om_patrol_spec spec_of(struct town *t, const char *from,
                                            const char *to, const char *at)
{
    return (struct om_patrol_spec){.snapshot = &t->city.snapshot,
                                   .duty = &t->duty,
                                   .selection = t->selection,
                                   .from_s = duty_at(from),
                                   .to_s = duty_at(to),
                                   .at_s = duty_at(at)};
}

static inline struct om_patrol judge(struct town *t, const char *from,
                                     const char *to, const char *at)
{
    struct om_patrol p;
    const struct om_patrol_spec spec = spec_of(t, from, to, at);
    assert_int_equal(om_patrol_judge(&spec, &p, NULL), OM_OK);
    return p;
}

/* The row of a house. */
static inline const struct om_patrol_row *row_of(const struct town *t,
                                                 const struct om_patrol *p,
                                                 const char *id)
{
    struct om_text_reader reader = {0};
    const struct om_patrol_row *found = NULL;
    for (size_t i = 0; i < p->count && !found; i++) {
        const char *text;
        size_t len;
        const struct om_layer *layer = t->duty.target[p->row[i].target].layer;
        assert_int_equal(om_segment_text(layer->part[p->row[i].part].segment, 0,
                                         p->row[i].row, &reader, &text, &len),
                         OM_OK);
        if (strlen(id) == len && !memcmp(id, text, len)) found = &p->row[i];
    }
    om_text_reader_deinit(&reader);
    assert_non_null(found);
    return found;
}

#endif
