/* table.c - delimited text with columns of positions.
 *
 * DESIGN
 * The file is mapped (or, if compressed or UTF-16, unpacked into memory). The
 * feed's serial part only looks for the next row boundary, at some bytes a
 * cycle; splitting into fields and reading values runs on all threads. A
 * stretch is split into a table of fields first and read column by column
 * then, so that each loop does one thing and the text of a column is allocated
 * once, exactly.
 */
#include <stdio.h>
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/file.h"
#include "data/source/kind.h"
#include "data/source/unpack.h"

/* Rows whose fields fit the second-level cache; bytes that bound a stretch of
 * long rows. */
#define STRETCH_ROWS 16384
#define STRETCH_ROWS_MIN 256
#define STRETCH_FIELDS ((size_t)256 * 1024)
#define STRETCH_BYTES ((size_t)4 << 20)
/* Rows whose values decide the types, and bytes at which they are enough. */
#define SAMPLE_ROWS 100000
#define SAMPLE_BYTES ((size_t)64 << 20)
/* A text with its BOM. */
static const char BOM_UTF8[] = "\xEF\xBB\xBF";

struct table {
    struct om_source *source;
    struct om_map map;
    struct om_buf unpacked;  // instead of map
    bool was_utf16;
    const char *at, *end;  // rows not yet taken
    char delimiter;
    size_t x, y;  // fields
    size_t fields;
    size_t stretch_rows;
    struct om__field *field;
};

/* What a job carries. */
struct stretch {
    const char *at, *end;
    struct om_csv_field *field;  // [(stretch_rows + 2) * (fields + 1)]
};

static void free_table(void *self)
{
    struct table *t = self;
    for (size_t i = 0; t->field && i < t->fields; i++)
        om_free(t->field[i].name);
    om_free(t->field);
    om_buf_deinit(&t->unpacked);
    om_map_close(&t->map);
    om_free(t);
}

static om_status take(void *self, struct om__job *job)
{
    struct table *t = self;
    if (t->at == t->end) {
        job->end = true;
        return OM_OK;
    }
    if (!job->stretch) {
        struct stretch *fresh = om_calloc(1, sizeof *fresh);
        if (!fresh) return OM_E_MEMORY;
        job->stretch = fresh;
        // One more for the row that crosses the goal and one for a last row
        // without its line end.
        fresh->field = om_alloc_array((t->stretch_rows + 2) * (t->fields + 1),
                                      sizeof *fresh->field);
        if (!fresh->field) return OM_E_MEMORY;
    }
    struct stretch *s = job->stretch;
    s->at = t->at;
    s->end = om_csv_stretch(t->at, t->end, t->delimiter, STRETCH_BYTES,
                            t->stretch_rows);
    t->at = s->end;
    return OM_OK;
}

static void drop(void *self, struct om__job *job)
{
    (void)self;
    struct stretch *s = job->stretch;
    om_free(s->field);
    om_free(s);
    job->stretch = NULL;
}

static bool fits(const struct table *t, const struct om_csv_field *field,
                 size_t n)
{
    // A delimiter too many at the end of every row is a habit of some tools.
    return n == t->fields || (n == t->fields + 1 && field[t->fields].len == 0);
}

/* Split the stretch; rows of another width go to the rejects at once.
 * number [room] gets the row's place within the stretch. */
static om_status split(const struct table *t, struct om__job *job,
                       uint64_t *number, size_t *rows)
{
    const struct stretch *s = job->stretch;
    const size_t stride = t->fields + 1;
    const char *at = s->at;
    size_t n = 0;
    while (at < s->end) {
        struct om_csv_field *field = &s->field[n * stride];
        const char *row = at;
        size_t fields;
        at = om_csv_row(at, t->end, t->delimiter, field, stride, &fields);
        if (fields == 0) continue;  // blank
        if (fits(t, field, fields))
            number[n++] = job->rows;
        else
            OM_TRY(om__job_note(job, job->rows, NULL, NULL,
                                "wrong number of fields", row,
                                (size_t)(at - row) - (at[-1] == '\n')));
        job->rows++;
    }
    *rows = n;
    return OM_OK;
}

static om_status make(void *self, struct om__job *job, size_t lane)
{
    struct table *t = self;
    const struct stretch *s = job->stretch;
    const struct om_source *source = t->source;
    const struct om_schema *schema = &source->plan.schema;
    const size_t stride = t->fields + 1;
    uint64_t *number = om_arena_alloc(&job->batch.arena,
                                      (t->stretch_rows + 2) * sizeof *number);
    if (!number) return OM_E_MEMORY;
    size_t n;
    struct om__rows rows;
    OM_TRY(split(t, job, number, &n));
    OM_TRY(om__rows_begin(&rows, job, schema, n, lane));
    rows.number = number;
    rows.zero_is_missing = source->zero_is_missing;
    rows.happened = source->happened;
    rows.latest_s = source->latest_s;
    rows.zone_s = source->zone_s;
    const size_t id = schema->id_field;
    job->id_field = id;
    job->id_from_row = source->plan.from[id] == OM_NO_FIELD;
    if (!job->id_from_row)
        OM_TRY(om__column_read(&rows, id, &source->reading[id],
                               s->field + source->plan.from[id], stride));
    OM_TRY(om__position_read(&rows, t->field[t->x].name, s->field + t->x,
                             stride, rows.x));
    OM_TRY(om__position_read(&rows, t->field[t->y].name, s->field + t->y,
                             stride, rows.y));
    for (size_t c = 0; c < schema->count; c++)
        if (c != id)
            OM_TRY(om__column_read(&rows, c, &source->reading[c],
                                   s->field + source->plan.from[c], stride));
    OM_TRY(om__rows_place(&rows, source->crs));
    return om__rows_finish(&rows);
}

/* The bytes of the file as text that the splitter can take. */
static om_status open_bytes(const struct om_source_options *options,
                            struct table *t, struct om_err *err)
{
    OM_TRY(om__unpack_open(options->path, &t->map, &t->unpacked, &t->was_utf16,
                           err));
    const char *bytes = t->unpacked.len ? (const char *)t->unpacked.bytes
                                        : (const char *)t->map.bytes;
    size_t len = t->unpacked.len ? t->unpacked.len : t->map.len;
    if (len >= 3 && memcmp(bytes, BOM_UTF8, 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    if (len == 0)
        return om_fail(err, OM_E_FORMAT, 0, "%s: is empty", options->path);
    t->at = bytes;
    t->end = bytes + len;
    return OM_OK;
}

static om_status open_encoding(const struct om_source_options *options,
                               struct table *t, struct om_err *err)
{
    const char *charset = options->encoding;
    if (!charset) {
        struct om__encoding_guess guess = {0};
        const char *stop = om_csv_stretch(t->at, t->end, t->delimiter,
                                          SAMPLE_BYTES, SAMPLE_ROWS);
        for (const char *at = t->at, *line; at < stop; at = line) {
            line = memchr(at, '\n', (size_t)(stop - at));
            line = line ? line + 1 : stop;
            om__encoding_sample(&guess, at, (size_t)(line - at));
        }
        charset = om__encoding_guessed(&guess);
    }
    // What was UTF-16 is UTF-8 already.
    if (t->was_utf16) charset = "UTF-8";
    return om__encoding_open(charset, &t->source->encoding, err);
}

static om_status header_name(const struct table *t,
                             const struct om_csv_field *field, char **out)
{
    const size_t room = (size_t)field->len * OM_ENCODING_GROWTH + 1;
    char *name = om_alloc(room);
    if (!name) return OM_E_MEMORY;
    struct om_csv_field f = *field;
    size_t len = f.len;
    om_status st = OM_E_FORMAT;
    if (om__encoding_converts(t->source->encoding))
        st = om__encoding_text(t->source->encoding, 0, f.at, f.len, name, &len);
    if (st == OM_E_FORMAT) {
        memcpy(name, f.at, f.len);
        len = f.len;
    }
    if (f.quoted == OM_CSV_ESCAPED) {
        f.at = name;
        f.len = (uint32_t)len;
        len = om_csv_unquote(&f, name);
    }
    while (len && name[len - 1] == ' ') len--;
    size_t blank = 0;
    while (blank < len && name[blank] == ' ') blank++;
    memmove(name, name + blank, len - blank);
    name[len - blank] = '\0';
    *out = name;
    return st == OM_E_MEMORY ? st : OM_OK;
}

static om_status open_header(const struct om_source_options *options,
                             struct table *t, struct om_err *err)
{
    struct om_csv_field *field =
        om_alloc_array(OM_LIMIT_COLUMNS * 4, sizeof *field);
    if (!field) return OM_E_MEMORY;
    om_status st = OM_OK;
    do  // blank lines before the header
        t->at = om_csv_row(t->at, t->end, t->delimiter, field,
                           OM_LIMIT_COLUMNS * 4, &t->fields);
    while (t->fields == 0 && t->at < t->end);
    if (t->fields == 0 || t->fields > OM_LIMIT_COLUMNS * 4) {
        st = om_fail(err, t->fields ? OM_E_LIMIT : OM_E_FORMAT, 0,
                     "%s: %zu columns", options->path, t->fields);
        t->fields = 0;
        goto done;
    }
    t->field = om_calloc(t->fields, sizeof *t->field);
    if (!t->field) st = OM_E_MEMORY;
    for (size_t i = 0; !st && i < t->fields; i++)
        st = header_name(t, &field[i], &t->field[i].name);
done:
    om_free(field);
    return st;
}

struct sample {
    struct om__guess *guess;  // [fields]
    struct om__extent extent;
    size_t rows;
    const char *end;
};

/* Read the first rows to see what they hold. */
static om_status take_sample(const struct table *t, struct sample *sample)
{
    const size_t stride = t->fields + 1;
    struct om_csv_field *field = om_alloc_array(stride, sizeof *field);
    if (!field) return OM_E_MEMORY;
    const char *at = t->at;
    while (at < t->end && sample->rows < SAMPLE_ROWS &&
           (size_t)(at - t->at) < SAMPLE_BYTES) {
        size_t fields;
        at = om_csv_row(at, t->end, t->delimiter, field, stride, &fields);
        if (fields == 0) continue;
        sample->rows++;
        if (!fits(t, field, fields)) continue;
        for (size_t f = 0; f < t->fields; f++)
            om__guess_add(&sample->guess[f], field[f].at, field[f].len);
        double x, y;
        if (!om_number_real(field[t->x].at, field[t->x].len, &x) &&
            !om_number_real(field[t->y].at, field[t->y].len, &y))
            om__extent_add(&sample->extent, x, y);
    }
    sample->end = at;
    om_free(field);
    return OM_OK;
}

/* Types, positions and size from the sample. */
static om_status learn(const struct om_source_options *options, struct table *t,
                       const struct sample *sample, struct om_err *err)
{
    struct om_source *source = t->source;
    enum om_date_order *order = om_calloc(t->fields, sizeof *order);
    if (!order) return OM_E_MEMORY;
    for (size_t f = 0; f < t->fields; f++)
        t->field[f].type = om__guess_type(&sample->guess[f], &order[f]);
    t->field[t->x].hidden = t->field[t->y].hidden = true;
    om_status st = om__plan_make(options, t->field, t->fields,
                                 OM_GEOMETRY_POINT, &source->plan, err);
    for (size_t c = 0; !st && c < source->plan.schema.count; c++) {
        const size_t from = source->plan.from[c];
        struct om__reading *how = &source->reading[c];
        *how = (struct om__reading){.type = source->plan.schema.field[c].type,
                                    .zone_s = options->zone_s,
                                    .encoding = source->encoding};
        if (from == OM_NO_FIELD) continue;
        how->order = order[from];
        // A time that was asked for, but which the sample does not settle.
        if (how->type == OM_TYPE_TIME && t->field[from].type != OM_TYPE_TIME)
            how->order = sample->guess[from].not_time[OM_DATE_DMY] &&
                                 !sample->guess[from].not_time[OM_DATE_MDY]
                             ? OM_DATE_MDY
                             : OM_DATE_DMY;
    }
    om_free(order);
    if (st) return st;
    OM_TRY(om__crs_open(options->crs, &source->crs, err));
    OM_TRY(om__extent_check(&sample->extent, options->path, source->crs,
                            options->crs != NULL, err));
    source->zero_is_missing = om__extent_zero_is_missing(&sample->extent);
    if (sample->end == t->end)
        source->rows = sample->rows;
    else if (sample->end > t->at)
        source->rows =
            (uint64_t)((double)(t->end - t->at) /
                       (double)(sample->end - t->at) * (double)sample->rows);
    return OM_OK;
}

static om_status open_columns(const struct om_source_options *options,
                              struct table *t, struct om_err *err)
{
    struct sample sample = {0};
    sample.guess = om_calloc(t->fields, sizeof *sample.guess);
    om_status st = sample.guess ? OM_OK : OM_E_MEMORY;
    for (size_t f = 0; !st && f < t->fields; f++)
        st = om__guess_open(&sample.guess[f]);
    if (!st) st = take_sample(t, &sample);
    if (!st) st = learn(options, t, &sample, err);
    for (size_t f = 0; sample.guess && f < t->fields; f++)
        om__guess_close(&sample.guess[f]);
    om_free(sample.guess);
    return st;
}

om_status om__table_open(const struct om_source_options *options,
                         struct om_source *source, bool *mine,
                         struct om_err *err)
{
    *mine = false;
    struct table *t = om_calloc(1, sizeof *t);
    if (!t) return om_fail(err, OM_E_MEMORY, 0, "source: out of memory");
    t->source = source;
    om_status st = open_bytes(options, t, err);
    if (st) goto done;
    t->delimiter = om_csv_delimiter(t->at, (size_t)(t->end - t->at));
    st = open_encoding(options, t, err);
    if (!st) st = open_header(options, t, err);
    if (!st)
        st = om__fields_xy(options, t->field, t->fields, &t->x, &t->y, err);
    if (st || t->x == OM_NO_FIELD) goto done;
    t->stretch_rows = STRETCH_FIELDS / (t->fields + 1);
    if (t->stretch_rows > STRETCH_ROWS) t->stretch_rows = STRETCH_ROWS;
    if (t->stretch_rows < STRETCH_ROWS_MIN) t->stretch_rows = STRETCH_ROWS_MIN;
    st = open_columns(options, t, err);
    if (st) goto done;
    source->reader = (struct om__reader){t, take, make, drop};
    source->free_self = free_table;
    *mine = true;
done:
    if (*mine) return OM_OK;
    free_table(t);
    om__encoding_close(source->encoding);  // if GDAL is to read it
    source->encoding = NULL;
    if (st == OM_E_MEMORY)
        return om_fail(err, st, 0, "%s: out of memory", options->path);
    return st;
}
