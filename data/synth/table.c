// table.c - chunks of rows on all cores, written in order.
#include "data/synth/table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "data/base/file.h"
#include "data/base/log.h"
#include "data/base/thread.h"
#include "data/model/time.h"

#define PATH_BYTES 4096
#define DOOR_ADDRESSES 200  // that share one position, at most

bool om__city_wants(const struct om__city *city, const char *layer)
{
    if (!city->only) return true;
    const size_t len = strlen(layer);
    for (const char *at = city->only; at && *at;) {
        const size_t word = strcspn(at, ",");
        if (word == len && !memcmp(at, layer, len)) return true;
        at += word + (at[word] == ',');
    }
    return false;
}

struct press {
    const struct om__city *city;
    const struct om__table *table;
    int fd;
    const char *path;
    pthread_mutex_t lock;  // guards all below
    pthread_cond_t turned;
    uint64_t turn;  // chunk that may be written now
    uint64_t done;  // items
    uint64_t rows;
    om_status status;
    struct om_err *err;
};

/* Chunks are handed out in order, so the one whose turn it is runs. */
static om_status hand_in(struct press *p, uint64_t chunk, uint64_t items,
                         const struct om_buf *buf, uint64_t rows, om_status st)
{
    pthread_mutex_lock(&p->lock);
    while (p->turn != chunk) pthread_cond_wait(&p->turned, &p->lock);
    if (!st) st = p->status;
    pthread_mutex_unlock(&p->lock);
    if (!st) st = om_fd_write(p->fd, buf->bytes, buf->len, p->path, p->err);
    pthread_mutex_lock(&p->lock);
    if (st && !p->status) p->status = st;
    p->turn++;
    p->done += items;
    p->rows += rows;
    om_progress(p->table->name, p->done, p->table->items);
    pthread_cond_broadcast(&p->turned);
    pthread_mutex_unlock(&p->lock);
    return st;
}

static om_status print_range(void *ctx, size_t first, size_t end, size_t lane)
{
    (void)lane;
    struct press *p = ctx;
    om_status st = OM_OK;
    struct om_buf buf = {0};
    for (size_t chunk = first; chunk < end; chunk++) {
        const uint64_t from = chunk * (uint64_t)OM__TABLE_ROWS;
        const uint64_t left = p->table->items - from;
        const uint64_t upto =
            from + (left < OM__TABLE_ROWS ? left : OM__TABLE_ROWS);
        uint64_t rows = 0;
        om_buf_clear(&buf);
        if (!st) st = p->table->rows(p->city, from, upto, &buf, &rows);
        st = hand_in(p, chunk, upto - from, &buf, rows, st);
    }
    om_buf_deinit(&buf);
    // Others wait for their turn, so no chunk may be left out: the failure is
    // kept in the press and every chunk passes through it.
    return OM_OK;
}

om_status om__table_write(const struct om__city *city,
                          const struct om__table *table, struct om_err *err)
{
    if (!om__city_wants(city, table->name)) return OM_OK;
    const double begun = om_seconds();
    char path[PATH_BYTES], file[OM__NAME_BYTES + 8];
    char *end = om__put(om__put(file, table->name), ".csv");
    *end = '\0';
    OM_TRY(om_path_join(path, sizeof path, city->out, file));
    struct press p = {.city = city, .table = table, .path = path, .err = err};
    p.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (p.fd < 0)
        return om_fail(err, OM_E_IO, 0, "cannot write %s: %s", path,
                       strerror(errno));
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.turned, NULL);
    om_status st = om_fd_write(p.fd, "lon,lat,", 8, path, err);
    if (!st)
        st = om_fd_write(p.fd, table->header, strlen(table->header), path, err);
    if (!st) st = om_fd_write(p.fd, "\n", 1, path, err);
    const size_t chunks =
        (size_t)((table->items + OM__TABLE_ROWS - 1) / OM__TABLE_ROWS);
    if (!st) st = om_parallel(chunks, 1, print_range, &p);
    if (!st) st = p.status;
    if (close(p.fd) && !st)
        st = om_fail(err, OM_E_IO, 0, "cannot write %s: %s", path,
                     strerror(errno));
    pthread_cond_destroy(&p.turned);
    pthread_mutex_destroy(&p.lock);
    if (!st) om_progress_done(table->name, p.rows, om_seconds() - begun);
    return st;
}

char *om__put_digits(char *at, uint64_t value, unsigned least)
{
    char digit[20];
    unsigned n = 0;
    do {
        digit[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (n < least && n < sizeof digit) digit[n++] = '0';
    while (n > 0) *at++ = digit[--n];
    return at;
}

static char *put_e7(char *at, int32_t e7)
{
    // The city lies in the north-eastern quarter of the world.
    const uint32_t value = (uint32_t)e7;
    at = om__put_digits(at, value / 10000000, 1);
    *at++ = '.';
    return om__put_digits(at, value % 10000000, 7);
}

char *om__put_place(char *at, struct om__xy p)
{
    const struct om__corner c = om__plane_corner(p);
    at = put_e7(at, c.lon_e7);
    *at++ = ',';
    return put_e7(at, c.lat_e7);
}

static char *put_day(char *at, int64_t days)
{
    int64_t year;
    unsigned month, day;
    om_time_date(days, &year, &month, &day);
    at = om__put_digits(at, (uint64_t)year, 4);
    *at++ = '-';
    at = om__put_digits(at, month, 2);
    *at++ = '-';
    return om__put_digits(at, day, 2);
}

char *om__put_time(char *at, int64_t utc_s)
{
    *at++ = ',';
    if (utc_s == 0) return at;
    const int64_t local = utc_s + OM_TIME_ZONE_S;
    at = put_day(at, local / OM__DAY_S);
    const uint32_t s = (uint32_t)(local % OM__DAY_S);
    *at++ = 'T';
    at = om__put_digits(at, s / 3600, 2);
    *at++ = ':';
    at = om__put_digits(at, s / 60 % 60, 2);
    *at++ = ':';
    at = om__put_digits(at, s % 60, 2);
    return om__put(at, "+08:00");
}

char *om__put_date(char *at, int64_t utc_s)
{
    *at++ = ',';
    return put_day(at, (utc_s + OM_TIME_ZONE_S) / OM__DAY_S);
}

struct om__xy om__house_door(const struct om__city *city, uint32_t house,
                             uint32_t k)
{
    const struct om__house *h = &city->house[house];
    const struct om__quarter *q = &city->quarter[h->quarter];
    // Doors stand half a metre inside the wall, spread along the front.
    const double along =
        (double)h->width_m * (0.18 + 0.64 * ((k * 5 + 2) % 8) / 8.0 - 0.5);
    const double away = h->front * ((double)h->depth_m / 2 - 0.5);
    return (struct om__xy){h->at.x + along * q->turn[0] - away * q->turn[1],
                           h->at.y + along * q->turn[1] + away * q->turn[0]};
}

struct om__xy om__house_address(const struct om__city *city, uint32_t house,
                                uint32_t k)
{
    const struct om__house *h = &city->house[house];
    const uint32_t doors = 1 + h->addresses / DOOR_ADDRESSES;
    return om__house_door(city, house,
                          (uint32_t)((uint64_t)k * doors / h->addresses));
}

uint32_t om__grid_of_house(const struct om__city *city, uint32_t house)
{
    return city->quarter[city->house[house].quarter].grid;
}

const struct om__village *om__village_of_house(const struct om__city *city,
                                               uint32_t house)
{
    return &city->village[city->grid[om__grid_of_house(city, house)].village];
}

uint32_t om__grid_worker(const struct om__city *city, uint32_t grid,
                         struct om__dice *dice)
{
    const struct om__grid *g = &city->grid[grid];
    if (g->workers) return g->first_worker + om__dice_below(dice, g->workers);
    return g->first_worker < city->workers ? g->first_worker
                                           : city->workers - 1;
}
