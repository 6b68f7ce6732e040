// coverage_partition.h - an audit of the partition, between its files.
#ifndef OM_WEB_COVERAGE_PARTITION_H
#define OM_WEB_COVERAGE_PARTITION_H

#include "engine/coverage/audit.h"
#include "web/coverage_internal.h"

/* A finding on its way into the table. Texts NULL and numbers NAN are null;
 * count below 0 too. */
struct om__finding {
    const char *id, *name, *class, *level, *layer;
    int64_t count;
    double value, width_m;
};

struct om__audit {
    struct om_coverage *question;
    struct om_table *table;
    struct om_duty duty;
    double sliver_m;
    size_t listed;
    uint64_t faults, unmanned;
    // The level at hand and the one before it.
    struct om_units units, lower;
    struct om_faults found;
    struct om_arena arena;
    struct om_buf list, text, text_en;  // of the row at hand
};

/** What people call a unit, and a layer. */
const char *om__unit_called(const struct om_unit *unit);
const char *om__layer_called(const struct om_layer *layer);
/** Forget list and texts of the row before. */
void om__audit_begin_row(struct om__audit *audit);
/** Add a unit to the list of the row at hand. */
void om__audit_list_unit(struct om__audit *audit, const char *id);
/** Append "2,934". */
void om__audit_add_count(struct om_buf *out, uint64_t n);
/** The row at hand: finding, list and texts; its geometry has been given. */
void om__audit_add_row(struct om__audit *audit,
                       const struct om__finding *finding);
/** What failed while words were put together. */
om_status om__audit_status(const struct om__audit *audit) OM_MUST_USE;
/** Are the layers of the option `layer` there? */
om_status om__audit_check_layers(struct om_coverage *question) OM_MUST_USE;
/** Rows of all wanted layers in none and in two units of the level at hand. */
om_status om__audit_layers(struct om__audit *audit) OM_MUST_USE;

#endif
