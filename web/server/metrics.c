// metrics.c - what was asked and how long it took, as Prometheus reads it.
#include <string.h>

#include "data/base/alloc.h"
#include "data/base/log.h"
#include "web/server/flights.h"
#include "web/server/jobs.h"
#include "web/server/made.h"
#include "web/server/metrics.h"
#include "web/server/needs.h"
#include "web/server/pictures.h"
#include "web/server/rights.h"
#include "web/server/views.h"
#include "web/server/writes.h"

/* Upper bounds of the histogram, seconds: around the 2 ms of a cold tile and
 * the 5 ms above which work belongs on a worker. */
static const double BOUND_S[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                 0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                 1,      2.5,     5,      10};
#define BOUNDS (sizeof BOUND_S / sizeof *BOUND_S)
/* 1xx never happens; classes 2xx to 5xx. */
#define CLASSES 4

struct route_metrics {
    atomic_uint_least64_t answers[CLASSES];
    atomic_uint_least64_t within[BOUNDS + 1];  // the last: slower than all
    atomic_uint_least64_t nanoseconds;
};

struct om__metrics {
    struct route_metrics *route;  // [om__routes_count + 1], last: no route
};

om_status om__metrics_new(struct om__metrics **out)
{
    struct om__metrics *metrics = om_calloc(1, sizeof *metrics);
    if (!metrics) return OM_E_MEMORY;
    metrics->route = om_calloc(om__routes_count + 1, sizeof *metrics->route);
    if (!metrics->route) {
        om_free(metrics);
        return OM_E_MEMORY;
    }
    *out = metrics;
    return OM_OK;
}

void om__metrics_free(struct om__metrics *metrics)
{
    if (!metrics) return;
    om_free(metrics->route);
    om_free(metrics);
}

void om__metrics_add(struct om__metrics *metrics, const struct om__route *route,
                     unsigned status, double seconds)
{
    const size_t i = route ? (size_t)(route - om__routes) : om__routes_count;
    struct route_metrics *m = &metrics->route[i];
    const unsigned class = status < 200 || status > 599 ? 5 : status / 100;
    size_t bound = 0;
    while (bound < BOUNDS && seconds > BOUND_S[bound]) bound++;
    atomic_fetch_add_explicit(&m->answers[class - 2], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->within[bound], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->nanoseconds, (uint64_t)(seconds * 1e9),
                              memory_order_relaxed);
}

static const char *route_name(size_t i)
{
    return i < om__routes_count ? om__routes[i].name : "none";
}

static uint64_t answered(const struct route_metrics *m)
{
    uint64_t n = 0;
    for (size_t b = 0; b <= BOUNDS; b++) n += m->within[b];
    return n;
}

static void write_routes(const struct om__metrics *metrics, struct om_buf *out)
{
    om_buf_add_text(out,
                    "# HELP onemap_requests_total Requests answered.\n"
                    "# TYPE onemap_requests_total counter\n");
    for (size_t i = 0; i <= om__routes_count; i++)
        for (unsigned c = 0; c < CLASSES; c++)
            if (metrics->route[i].answers[c])
                om_buf_addf(out,
                            "onemap_requests_total{route=\"%s\","
                            "status=\"%uxx\"} %llu\n",
                            route_name(i), c + 2,
                            (unsigned long long)metrics->route[i].answers[c]);
    om_buf_add_text(out,
                    "# HELP onemap_request_seconds From the first line of a "
                    "request to its last byte.\n"
                    "# TYPE onemap_request_seconds histogram\n");
    for (size_t i = 0; i <= om__routes_count; i++) {
        const struct route_metrics *m = &metrics->route[i];
        const uint64_t all = answered(m);
        if (!all) continue;
        uint64_t sum = 0;
        for (size_t b = 0; b < BOUNDS; b++) {
            sum += m->within[b];
            om_buf_addf(out,
                        "onemap_request_seconds_bucket{route=\"%s\","
                        "le=\"%g\"} %llu\n",
                        route_name(i), BOUND_S[b], (unsigned long long)sum);
        }
        om_buf_addf(out,
                    "onemap_request_seconds_bucket{route=\"%s\",le=\"+Inf\"} "
                    "%llu\nonemap_request_seconds_sum{route=\"%s\"} %.6f\n"
                    "onemap_request_seconds_count{route=\"%s\"} %llu\n",
                    route_name(i), (unsigned long long)all, route_name(i),
                    (double)m->nanoseconds / 1e9, route_name(i),
                    (unsigned long long)all);
    }
}

static void write_cache(struct om_buf *out, const char *name, uint64_t hits,
                        uint64_t misses, uint64_t entries, uint64_t bytes)
{
    om_buf_addf(out,
                "onemap_cache_hits_total{cache=\"%s\"} %llu\n"
                "onemap_cache_misses_total{cache=\"%s\"} %llu\n"
                "onemap_cache_entries{cache=\"%s\"} %llu\n"
                "onemap_cache_bytes{cache=\"%s\"} %llu\n",
                name, (unsigned long long)hits, name,
                (unsigned long long)misses, name, (unsigned long long)entries,
                name, (unsigned long long)bytes);
}

static void write_listeners(struct om_server *server, struct om_buf *out)
{
    const struct om__hub_stats hub = om__hub_stats(server->hub);
    om_buf_addf(out,
                "# HELP onemap_listeners Clients that listen to /changes.\n"
                "# TYPE onemap_listeners gauge\nonemap_listeners %zu\n"
                "# TYPE onemap_listeners_joined_total counter\n"
                "onemap_listeners_joined_total %llu\n"
                "# HELP onemap_listeners_slow_total Let go because they did "
                "not read.\n"
                "# TYPE onemap_listeners_slow_total counter\n"
                "onemap_listeners_slow_total %llu\n"
                "# TYPE onemap_events_bytes_total counter\n"
                "onemap_events_bytes_total %llu\n",
                hub.listening, (unsigned long long)hub.joined,
                (unsigned long long)hub.slow, (unsigned long long)hub.bytes);
}

/* How large the city is, and what is being done. */
static void write_city(struct om_server *server, struct om_buf *out)
{
    struct om_snapshot *snapshot = om_city_snapshot(server->city);
    om_buf_add_text(out, "# TYPE onemap_rows gauge\n");
    for (size_t i = 0; snapshot && i < snapshot->layers; i++) {
        om_buf_add_text(out, "onemap_rows{layer=");
        om_buf_add_json_text(out, snapshot->layer[i].name,
                             strlen(snapshot->layer[i].name));
        om_buf_addf(out, "} %llu\n",
                    (unsigned long long)snapshot->layer[i].rows);
    }
    const struct om__jobs_stats jobs = om__jobs_stats(server->jobs);
    om_buf_addf(
        out,
        "# TYPE onemap_sequence counter\nonemap_sequence %llu\n"
        "# TYPE onemap_requests_in_flight gauge\n"
        "onemap_requests_in_flight %zu\n"
        "# TYPE onemap_queue_length gauge\nonemap_queue_length %zu\n"
        "# HELP onemap_workers_busy Requests that workers are at.\n"
        "# TYPE onemap_workers_busy gauge\nonemap_workers_busy %zu\n"
        "# HELP onemap_connections_cut_total Connections of one address that "
        "made room for others.\n"
        "# TYPE onemap_connections_cut_total counter\n"
        "onemap_connections_cut_total %llu\n"
        "# HELP onemap_given_up_total Requests whose client left before "
        "a worker was done.\n"
        "# TYPE onemap_given_up_total counter\n"
        "onemap_given_up_total %llu\n"
        "# TYPE onemap_uptime_seconds counter\n"
        "onemap_uptime_seconds %.0f\n",
        (unsigned long long)(snapshot ? snapshot->sequence : 0),
        (size_t)server->in_flight, om__jobs_waiting(server->jobs), jobs.running,
        (unsigned long long)atomic_load(&server->cut),
        (unsigned long long)jobs.given_up, om_seconds() - server->started_s);
    if (snapshot)
        om_buf_addf(out,
                    "# HELP onemap_beat_now The city's moment, down to the "
                    "beat.\n"
                    "# TYPE onemap_beat_now gauge\nonemap_beat_now %lld\n",
                    (long long)om__beat(server, om_snapshot_now(snapshot)));
    om_snapshot_unref(snapshot);
}

om_status om__metrics_write(struct om_server *server, struct om_buf *out)
{
    write_routes(server->metrics, out);
    const struct om__cache_stats answers = om__cache_stats(server->cache);
    const struct om_cache_stats selections =
        om_selections_stats(server->selections);
    const struct om_cache_stats fields = om_fields_stats(server->fields);
    const struct om_cache_stats vectors = om_vectors_stats(server->vectors);
    om_buf_add_text(out,
                    "# TYPE onemap_cache_hits_total counter\n"
                    "# TYPE onemap_cache_misses_total counter\n"
                    "# TYPE onemap_cache_entries gauge\n"
                    "# TYPE onemap_cache_bytes gauge\n");
    write_cache(out, "answers", answers.hits, answers.misses, answers.entries,
                answers.bytes);
    om_buf_addf(out,
                "# TYPE onemap_cache_evictions_total counter\n"
                "onemap_cache_evictions_total{cache=\"answers\"} %llu\n",
                (unsigned long long)answers.evictions);
    om_buf_addf(out,
                "# HELP onemap_cache_invalidated_total Kept, but changed "
                "since; they count as misses.\n"
                "# TYPE onemap_cache_invalidated_total counter\n"
                "onemap_cache_invalidated_total{cache=\"answers\"} %llu\n"
                "# HELP onemap_tiles_unchanged_total 304 for a tile without "
                "drawing it.\n"
                "# TYPE onemap_tiles_unchanged_total counter\n"
                "onemap_tiles_unchanged_total %llu\n"
                "# HELP onemap_beat_seconds What moves with time alone moves "
                "so often.\n"
                "# TYPE onemap_beat_seconds gauge\n"
                "onemap_beat_seconds %u\n",
                (unsigned long long)answers.invalidated,
                (unsigned long long)server->unchanged, server->beat_s);
    const struct om__flight_stats flights = om__flight_stats(server->flights);
    om_buf_addf(out,
                "# HELP onemap_tiles_joined_total Requests that waited for a "
                "tile that was being drawn.\n"
                "# TYPE onemap_tiles_drawn_total counter\n"
                "onemap_tiles_drawn_total %llu\n"
                "# TYPE onemap_tiles_joined_total counter\n"
                "onemap_tiles_joined_total %llu\n",
                (unsigned long long)flights.drawn,
                (unsigned long long)flights.parked);
    write_cache(out, "selections", selections.hits, selections.misses,
                selections.entries, selections.bytes);
    write_cache(out, "fields", fields.hits, fields.misses, fields.entries,
                fields.bytes);
    write_cache(out, "vectors", vectors.hits, vectors.misses, vectors.entries,
                vectors.bytes);
    write_listeners(server, out);
    const struct om__made_stats views =
        om__made_stats(om__views_table(server->views));
    const struct om__made_stats pictures =
        om__made_stats(om__pictures_table(server->pictures));
    write_cache(out, "views", views.hits, views.misses, views.count, 0);
    write_cache(out, "pictures", pictures.hits, pictures.misses, pictures.count,
                0);
    write_city(server, out);
    om__writes_metrics(server->writes, out);
    om__lenses_metrics(server->lenses, out);
    return out->status;
}
