// features_groups.c - grouped counts as a table.
#include <string.h>

#include "web/features_internal.h"

static const char *name_of(const struct om_groups_options *o,
                           const struct om_group *g, size_t *len)
{
    *len = 0;
    return o->name && !g->null ? o->name(o->name_ctx, g, len) : NULL;
}

static void put_sum(struct om_buf *out, const struct om_groups_options *o,
                    const struct om_group *g)
{
    if (o->real)
        om_buf_add_json_real(out, g->real_sum);
    else
        om_buf_add_wide(out, g->sum);
}

static void put_csv(struct om_buf *out, const struct om_groups_options *o,
                    const struct om_group *g)
{
    size_t len;
    const char *name = name_of(o, g, &len);
    if (!g->null) om__cell_csv(out, g->id, g->len);
    if (o->name) {
        om_buf_add_byte(out, ',');
        if (name) om__cell_csv(out, name, len);
    }
    om_buf_add_byte(out, ',');
    om_buf_add_i64(out, (int64_t)g->count);
    if (o->sum) {
        om_buf_add_byte(out, ',');
        put_sum(out, o, g);
    }
    om_buf_add_text(out, "\r\n");
}

static void put_json(struct om_buf *out, const struct om_groups_options *o,
                     const struct om_group *g)
{
    size_t len;
    const char *name = name_of(o, g, &len);
    om_buf_add_text(out, "{\"id\":");
    if (g->null)
        om_buf_add_text(out, "null");
    else
        om_buf_add_json_text(out, g->id, g->len);
    if (o->name) {
        om_buf_add_text(out, ",\"name\":");
        if (name)
            om_buf_add_json_text(out, name, len);
        else
            om_buf_add_text(out, "null");
    }
    om_buf_add_text(out, ",\"count\":");
    om_buf_add_i64(out, (int64_t)g->count);
    if (o->sum) {
        om_buf_add_text(out, ",\"sum\":");
        put_sum(out, o, g);
    }
    om_buf_add_byte(out, '}');
}

om_status om_groups_write(const struct om_groups *groups,
                          const struct om_groups_options *options,
                          struct om_buf *out)
{
    const bool csv = options->format == OM_FEATURES_CSV;
    if (csv) {
        om_buf_add_text(out, options->no_mark ? "id" : "\xEF\xBB\xBFid");
        if (options->name) om_buf_add_text(out, ",name");
        om_buf_add_text(out, ",count");
        if (options->sum) om_buf_add_text(out, ",sum");
        om_buf_add_text(out, "\r\n");
    } else {
        om_buf_add_byte(out, '[');
    }
    for (size_t i = 0; i < groups->count; i++) {
        if (csv) {
            put_csv(out, options, &groups->group[i]);
            continue;
        }
        om_buf_add_text(out, i ? ",\n" : "\n");
        put_json(out, options, &groups->group[i]);
    }
    if (!csv) om_buf_add_text(out, "\n]");
    return out->status;
}
