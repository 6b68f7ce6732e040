/* positions.c - last positions in memory, and as rows of the layer.
 *
 * DESIGN
 * A city of ten thousand people on the move has a thousand fixes a second; as
 * rows of the journal they would be most of it, for nothing: each is of no
 * interest ten seconds later. So the last fix of everybody is kept in a table,
 * the way there in tracks (tracks.h), and once a second the rows of all who
 * have a fix are laid over the layer, in memory (om_live_overlay): its other
 * columns as they are in the register, place and time as they were seen. Every
 * question and every tile then sees them without knowing.
 *
 * The rows below are kept as records from when the layer was read. Whatever
 * writes to the layer otherwise, we are told (om__positions_news), take our
 * rows away, read the layer again, and lay them over the new.
 *
 * A clock that is set back leaves fixes behind that have not happened yet. They
 * would hold their place against the true ones until their time comes, and
 * would seem to have been seen just now: they are forgotten, as if nobody had
 * been seen, and whatever comes by the new clock counts.
 *
 * (1) `lock` guards the table; it is held for microseconds.
 * (2) Only the thread lays rows and reads the layer; which one it is, is said
 *     once, at the start.
 */
#include "web/server/positions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/base/alloc.h"
#include "data/base/hash.h"
#include "data/base/limits.h"
#include "data/base/log.h"
#include "data/city/record.h"
#include "engine/layer/extract.h"
#include "engine/live/changes.h"

#define RETENTION_DAYS 2.0
#define DAY_S 86400.0
#define KEPT_LEAST_S 3600
#define EVERY_MS 1000
#define STEP_MS 20
#define NO_RECORD SIZE_MAX
#define NEVER INT64_MIN

/* Somebody: a row of the layer, a fix, or both. */
struct person {
    uint64_t who;   // hash of the id; 0: a free slot
    size_t record;  // where the row's record begins; NO_RECORD: no such row
    size_t len;     // of it
    struct om_pos pos;
    int64_t at_s;  // NEVER: not connected
    // As it is laid over the layer; NEVER: the register's place is.
    struct om_pos laid;
    int64_t laid_s;
};

struct om__positions {
    struct om__positions_options o;
    char layer[OM_LIMIT_NAME_BYTES], seen[OM_LIMIT_NAME_BYTES];
    atomic_bool follow;
    pthread_mutex_t lock;
    struct person *person;  // [room], open addressing by `who`
    size_t room, count;
    bool dirty;
    struct om_buf records;
    struct om_schema schema;  // own columns of the layer
    struct om__tracks *tracks;
    atomic_bool stale;   // the layer has been written to by others
    atomic_bool laying;  // what is published just now is ours
    atomic_bool stop;
    bool failing, thread_made;
    bool laid;  // rows of ours are there
    size_t laid_rows;
    int64_t kept_s;   // for which a position is shown
    int64_t start_s;  // the city's clock when it began
    pthread_t thread;
};

bool om__positions_about(const struct om_snapshot *snapshot,
                         struct om__positions_about *out)
{
    const struct om_json *positions =
        om_json_get(snapshot->manifest->document, "positions");
    *out = (struct om__positions_about){
        .layer = om_json_text(om_json_get(positions, "layer"), NULL),
        .seen = om_json_text(om_json_get(positions, "seen"), NULL),
        .retention_days = om_json_real(om_json_get(positions, "retention_days"),
                                       RETENTION_DAYS)};
    if (!(out->retention_days >= 0 && out->retention_days < 36500))
        out->retention_days = RETENTION_DAYS;
    out->kept_s = (int64_t)(out->retention_days * DAY_S);
    if (out->kept_s < KEPT_LEAST_S) out->kept_s = KEPT_LEAST_S;
    return out->layer && out->seen;
}

static uint64_t who_is(const char *id, size_t len)
{
    const uint64_t who = om_hash64(id, len, 0);
    return who ? who : 1;
}

/* ---- the table, under the lock */

static struct person *slot_of(struct person *person, size_t room, uint64_t who)
{
    size_t at = who % room;
    while (person[at].who && person[at].who != who) at = (at + 1) % room;
    return &person[at];
}

static struct person *find(const struct om__positions *p, uint64_t who)
{
    struct person *one = p->room ? slot_of(p->person, p->room, who) : NULL;
    return one && one->who ? one : NULL;
}

static om_status grow(struct om__positions *p)
{
    const size_t room = p->room ? 2 * p->room : 1024;
    struct person *grown = om_calloc(room, sizeof *grown);
    if (!grown) return OM_E_MEMORY;
    for (size_t i = 0; i < p->room; i++)
        if (p->person[i].who)
            *slot_of(grown, room, p->person[i].who) = p->person[i];
    om_free(p->person);
    p->person = grown;
    p->room = room;
    return OM_OK;
}

static om_status find_or_add(struct om__positions *p, uint64_t who,
                             struct person **out)
{
    if (4 * (p->count + 1) > 3 * p->room) OM_TRY(grow(p));
    *out = slot_of(p->person, p->room, who);
    if (!(*out)->who) {
        **out = (struct person){
            .who = who, .record = NO_RECORD, .at_s = NEVER, .laid_s = NEVER};
        p->count++;
    }
    return OM_OK;
}

/* A fix of before the start: of whom it was is seen when the layer is read. */
static void restore(void *ctx, const struct om__track_fix *fix)
{
    struct om__positions *p = ctx;
    struct person *one;
    if (fix->at_s > p->start_s + OM_LIMIT_AHEAD_S) return;
    if (p->count >= 2 * OM__POSITIONS_ROWS || find_or_add(p, fix->who, &one))
        return;
    if (fix->at_s < one->at_s) return;
    one->pos = (struct om_pos){fix->x, fix->y};
    one->at_s = fix->at_s;
    p->dirty = true;
}

om_status om__positions_take(struct om__positions *p, const char *id,
                             size_t len, struct om_pos pos, int64_t at_s)
{
    if (!p->follow) return OM_E_UNSUPPORTED;
    const struct om__track_fix fix = {who_is(id, len), at_s, pos.x, pos.y};
    bool older = false;
    pthread_mutex_lock(&p->lock);
    struct person *one = find(p, fix.who);
    om_status st = one && one->record != NO_RECORD ? OM_OK : OM_E_NOTFOUND;
    if (!st) st = om__tracks_add(p->tracks, &fix);
    if (!st) older = at_s <= one->at_s;
    if (!st && !older) {
        one->pos = pos;
        one->at_s = at_s;
        p->dirty = true;
    }
    pthread_mutex_unlock(&p->lock);
    return st ? st : older ? OM_E_EXISTS : OM_OK;
}

bool om__positions_get(struct om__positions *p, const char *id, size_t len,
                       struct om_pos *pos, int64_t *at_s)
{
    pthread_mutex_lock(&p->lock);
    const struct person *one = find(p, who_is(id, len));
    const bool seen = one && one->at_s != NEVER;
    if (seen) {
        *pos = one->pos;
        *at_s = one->at_s;
    }
    pthread_mutex_unlock(&p->lock);
    return seen;
}

bool om__positions_follow(const struct om__positions *p)
{
    return p->follow;
}

void om__positions_news(struct om__positions *p,
                        const struct om_live_news *news)
{
    if (!p->follow) return;
    for (size_t i = 0; i < news->count; i++) {
        const struct om_live_change *c = &news->change[i];
        const bool ours = c->kind == OM_ENTRY_COMMIT && atomic_load(&p->laying);
        if (!ours && (!*c->layer || !strcmp(c->layer, p->layer)))
            atomic_store(&p->stale, true);
    }
}

/* ---- the layer */

static om_status add_records(struct om__positions *p,
                             const struct om_batch *batch)
{
    const struct om_batch_column *id = &batch->column[p->schema.id_field];
    for (size_t i = 0; i < batch->rows; i++) {
        struct person *one;
        const size_t from = p->records.len;
        OM_TRY(om_record_add(&p->schema, batch, i, &p->records));
        OM_TRY(find_or_add(p,
                           who_is(id->bytes + id->offset[i],
                                  id->offset[i + 1] - id->offset[i]),
                           &one));
        one->record = from;
        one->len = p->records.len - from;
    }
    return OM_OK;
}

static om_status read_parts(struct om__positions *p,
                            const struct om_layer *layer)
{
    for (size_t i = 0; i < layer->parts; i++) {
        const struct om_part *part = &layer->part[i];
        const size_t rows = om_segment_rows(part->segment);
        for (size_t from = 0; from < rows; from += OM_LIMIT_BATCH_ROWS) {
            struct om_batch batch = {0};
            const size_t to = rows - from < OM_LIMIT_BATCH_ROWS
                                  ? rows
                                  : from + OM_LIMIT_BATCH_ROWS;
            om_status st =
                om_segment_extract(part->segment, &p->schema, from, to, NULL,
                                   part->dead, part->dead_count, &batch);
            if (!st) st = add_records(p, &batch);
            om_arena_deinit(&batch.arena);
            OM_TRY(st);
        }
    }
    return OM_OK;
}

/* What the city says, and the rows of the layer. */
static om_status read_layer(struct om__positions *p, struct om_err *err)
{
    struct om__positions_about about;
    struct om_snapshot *snapshot = om_city_snapshot(p->o.city);
    if (!snapshot) return OM_E_MEMORY;
    om_status st = OM_OK;
    const struct om_layer *layer =
        om__positions_about(snapshot, &about)
            ? om_snapshot_layer(snapshot, about.layer)
            : NULL;
    if (layer && p->layer[0] && strcmp(p->layer, about.layer) != 0)
        layer = NULL;  // until the next start
    pthread_mutex_lock(&p->lock);
    p->follow = false;
    if (!layer || !layer->meta || layer->schema.geometry != OM_GEOMETRY_POINT)
        goto done;
    p->schema = layer->meta->schema;
    const size_t seen = om_schema_find(&p->schema, about.seen);
    if (layer->rows > OM__POSITIONS_ROWS || seen == OM_NO_FIELD ||
        p->schema.field[seen].type != OM_TYPE_TIME) {
        om_fail(err, OM_E_UNSUPPORTED, 0,
                "positions: %s has no column of times '%s', or more than %d "
                "rows",
                about.layer, about.seen, OM__POSITIONS_ROWS);
        st = OM_E_UNSUPPORTED;
        goto done;
    }
    if (!p->layer[0]) snprintf(p->layer, sizeof p->layer, "%s", about.layer);
    snprintf(p->seen, sizeof p->seen, "%s", about.seen);
    for (size_t i = 0; i < p->room; i++) p->person[i].record = NO_RECORD;
    om_buf_clear(&p->records);
    st = read_parts(p, layer);
    p->follow = !st;
    p->dirty = true;
done:
    pthread_mutex_unlock(&p->lock);
    om_snapshot_unref(snapshot);
    return st;
}

/* ---- laying */

/* Records and fixes of all who have both. */
struct laying {
    struct om_record_reader *reader;
    struct om_arena arena;
    struct person *person;
    struct om_pos *pos;
    int64_t *seen;
    size_t rows;
    struct om_live_move *move;  // of those that are not as they were laid
    size_t moves;
};

static om_status copy_people(struct om__positions *p, struct laying *l)
{
    pthread_mutex_lock(&p->lock);
    l->person = om_arena_alloc(&l->arena, (p->count + 1) * sizeof *l->person);
    for (size_t i = 0; i < p->room && l->person; i++) {
        const struct person *one = &p->person[i];
        if (!one->who || one->record == NO_RECORD || one->at_s == NEVER)
            continue;
        if (l->rows == OM_LIMIT_BATCH_ROWS) break;
        l->person[l->rows++] = *one;
    }
    p->dirty = !l->person;
    pthread_mutex_unlock(&p->lock);
    return l->person ? OM_OK : OM_E_MEMORY;
}

/* Whoever sends a fix waits for the copy only: records are this thread's. */
static om_status take_rows(struct om__positions *p, struct laying *l)
{
    OM_TRY(copy_people(p, l));
    l->pos = om_arena_calloc(&l->arena, l->rows + 1, sizeof *l->pos);
    l->seen = om_arena_calloc(&l->arena, l->rows + 1, sizeof *l->seen);
    if (!l->pos || !l->seen) return OM_E_MEMORY;
    for (size_t i = 0; i < l->rows; i++) {
        const struct person *one = &l->person[i];
        OM_TRY(om_record_read(l->reader, p->records.bytes + one->record,
                              one->len));
        l->pos[i] = one->pos;
        l->seen[i] = one->at_s;
    }
    return OM_OK;
}

/* What lies there now: the same as was copied, or (NULL) nothing of ours. */
static void note_laid(struct om__positions *p, const struct laying *l)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->room; i++) p->person[i].laid_s = NEVER;
    for (size_t i = 0; l && i < l->rows; i++) {
        struct person *one = find(p, l->person[i].who);
        if (!one) continue;
        one->laid = l->person[i].pos;
        one->laid_s = l->person[i].at_s;
    }
    p->laid_rows = l ? l->rows : 0;
    pthread_mutex_unlock(&p->lock);
}

/* Who is not where, or was not seen when, it was laid: from there, or from the
 * register's place. Whose fix was too old goes back to that: wherever. */
static om_status find_moves(const struct om__positions *p, struct laying *l,
                            const struct om_batch *below)
{
    size_t kept = 0;
    l->move = om_arena_calloc(&l->arena, l->rows + 1, sizeof *l->move);
    if (!l->move) return OM_E_MEMORY;
    for (size_t i = 0; i < l->rows; i++) {
        const struct person *one = &l->person[i];
        const bool laid = one->laid_s != NEVER;
        const struct om_pos from = laid ? one->laid : below->pos[i];
        kept += laid;
        if (laid && one->laid_s == one->at_s && one->laid.x == one->pos.x &&
            one->laid.y == one->pos.y)
            continue;
        l->move[l->moves++] = (struct om_live_move){one->pos, from};
    }
    if (kept < p->laid_rows) l->moves = 0;
    return OM_OK;
}

static om_status take_away(struct om__positions *p, struct om_err *err)
{
    const struct om_batch none = {0};
    atomic_store(&p->laying, true);
    const om_status st = p->o.lay(p->o.ctx, p->layer, &none, NULL, 0, err);
    atomic_store(&p->laying, false);
    if (!st) p->laid = false;
    if (!st) note_laid(p, NULL);
    return st;
}

static om_status lay(struct om__positions *p, struct laying *l,
                     struct om_err *err)
{
    const struct om_batch *below;
    OM_TRY(take_rows(p, l));
    if (!l->rows) return p->laid ? take_away(p, err) : OM_OK;
    OM_TRY(om_record_batch(l->reader, &below));
    OM_TRY(find_moves(p, l, below));
    struct om_batch rows = *below;
    struct om_batch_column *column =
        om_arena_calloc(&l->arena, p->schema.count, sizeof *column);
    if (!column) return OM_E_MEMORY;
    memcpy(column, below->column, p->schema.count * sizeof *column);
    const size_t seen = om_schema_find(&p->schema, p->seen);
    column[seen].integer = l->seen;
    column[seen].valid = NULL;
    rows.column = column;
    rows.pos = l->pos;
    atomic_store(&p->laying, true);
    const om_status st =
        p->o.lay(p->o.ctx, p->layer, &rows, l->move, l->moves, err);
    atomic_store(&p->laying, false);
    if (!st) p->laid = true;
    if (!st) note_laid(p, l);
    return st;
}

static om_status lay_rows(struct om__positions *p, struct om_err *err)
{
    struct laying l = {0};
    om_status st = om_record_reader_new(&p->schema, &l.reader);
    if (!st) st = lay(p, &l, err);
    om_record_reader_free(l.reader);
    om_arena_deinit(&l.arena);
    if (st) {
        pthread_mutex_lock(&p->lock);
        p->dirty = true;
        pthread_mutex_unlock(&p->lock);
    }
    return st;
}

/* Our rows go, so that what lies below can be read. */
static om_status read_again(struct om__positions *p, struct om_err *err)
{
    atomic_store(&p->stale, false);
    om_status st = p->laid ? take_away(p, err) : OM_OK;
    if (!st) st = read_layer(p, err);
    if (st) atomic_store(&p->stale, true);
    return st;
}

/* ---- tracks */

static om_status write_tracks(struct om__positions *p, struct om_err *err)
{
    struct om_buf last = {0};
    size_t count = 0;
    pthread_mutex_lock(&p->lock);
    // Held, so that no fix of the table was measured by a later clock.
    struct om_snapshot *snapshot = om_city_snapshot(p->o.city);
    if (!snapshot) {
        pthread_mutex_unlock(&p->lock);
        return OM_E_MEMORY;
    }
    const int64_t now_s = om_snapshot_now(snapshot);
    om_snapshot_unref(snapshot);
    for (size_t i = 0; i < p->room; i++) {
        struct person *one = &p->person[i];
        if (!one->who || one->at_s == NEVER) continue;
        if (one->at_s <= now_s - p->kept_s ||
            one->at_s > now_s + OM_LIMIT_AHEAD_S) {
            // Not connected: the register's place again.
            one->at_s = NEVER;
            p->dirty = true;
            continue;
        }
        const struct om__track_fix fix = {one->who, one->at_s, one->pos.x,
                                          one->pos.y};
        om_buf_add(&last, &fix, sizeof fix);
        count++;
    }
    pthread_mutex_unlock(&p->lock);
    om_status st = last.status;
    if (!st)
        st = om__tracks_write(
            p->tracks, now_s,
            (const struct om__track_fix *)(const void *)last.bytes, count, err);
    om_buf_deinit(&last);
    return st;
}

/* Once a second. What fails is tried again, and told once. */
static void step(struct om__positions *p)
{
    struct om_err err = {0};
    om_status st = p->tracks ? write_tracks(p, &err) : OM_OK;
    const om_status kept = st;
    pthread_mutex_lock(&p->lock);
    bool dirty = p->dirty && p->follow;
    pthread_mutex_unlock(&p->lock);
    if (atomic_load(&p->stale)) {
        st = read_again(p, &err);
        dirty = !st && p->follow;
    }
    if (dirty) st = lay_rows(p, &err);
    if (!st) st = kept;
    if (st == OM_E_STOPPED) return;
    if (st && !p->failing)
        om_log(OM_LOG_WARN, "positions", "%s",
               err.text[0] ? err.text : om_status_text(st));
    if (!st && p->failing) om_log(OM_LOG_INFO, "positions", "well again");
    p->failing = st != OM_OK;
}

static void *run(void *ctx)
{
    struct om__positions *p = ctx;
    const unsigned every_ms = p->o.every_ms ? p->o.every_ms : EVERY_MS;
    unsigned rested_ms = every_ms;  // what was there shows at once
    while (!atomic_load(&p->stop)) {
        if (rested_ms >= every_ms) {
            step(p);
            rested_ms = 0;
        }
        const struct timespec rest = {0, STEP_MS * 1000000};
        nanosleep(&rest, NULL);
        rested_ms += STEP_MS;
    }
    // The next start has nothing to read but the note.
    if (p->tracks) om__tracks_due(p->tracks);
    step(p);
    return NULL;
}

static om_status begin(struct om__positions *p, struct om_err *err)
{
    struct om__positions_about about;
    struct om_snapshot *snapshot = om_city_snapshot(p->o.city);
    if (!snapshot) return OM_E_MEMORY;
    const bool follow = om__positions_about(snapshot, &about);
    const int64_t now_s = om_snapshot_now(snapshot);
    const int64_t retention_s = (int64_t)(about.retention_days * DAY_S);
    om_snapshot_unref(snapshot);
    if (!follow) return OM_OK;
    p->kept_s = about.kept_s;
    p->start_s = now_s;
    OM_TRY(om__tracks_open(p->o.path, retention_s, now_s, restore, p,
                           &p->tracks, err));
    const om_status st = read_layer(p, err);
    if (st != OM_E_UNSUPPORTED) return st;
    om_log(OM_LOG_WARN, "positions", "nobody is followed: %s",
           err ? err->text : "");
    return OM_OK;
}

om_status om__positions_new(const struct om__positions_options *o,
                            struct om__positions **out, struct om_err *err)
{
    struct om__positions *p = om_calloc(1, sizeof *p);
    if (!p) return om_fail(err, OM_E_MEMORY, 0, "out of memory");
    p->o = *o;
    pthread_mutex_init(&p->lock, NULL);
    om_status st = begin(p, err);
    if (!st && p->tracks) {
        p->thread_made = !pthread_create(&p->thread, NULL, run, p);
        if (!p->thread_made) st = OM_E_MEMORY;
    }
    if (st) {
        if (err && !err->text[0]) om_fail(err, st, 0, "%s", om_status_text(st));
        om__positions_free(p);
        return st;
    }
    *out = p;
    return OM_OK;
}

void om__positions_stop(struct om__positions *p)
{
    if (!p || !p->thread_made) return;
    atomic_store(&p->stop, true);
    pthread_join(p->thread, NULL);
    p->thread_made = false;
}

void om__positions_free(struct om__positions *p)
{
    if (!p) return;
    om__positions_stop(p);
    om__tracks_close(p->tracks);
    pthread_mutex_destroy(&p->lock);
    om_buf_deinit(&p->records);
    om_free(p->person);
    om_free(p);
}
