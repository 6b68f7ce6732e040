// rates.c - buckets of tokens, for all and for each client.
#include "web/server/rates.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>

#include "data/base/alloc.h"

/* Sets of a few clients each, by the low bits of their hashes. */
#define SETS 1024
#define WAYS 4

struct bucket {
    uint64_t client;
    double tokens, at_s;
};

struct om_rates {
    pthread_mutex_t lock;
    double total_per_s, client_per_s, burst_s;
    struct bucket total;
    struct bucket client[SETS][WAYS];
};

om_status om_rates_new(double total_per_s, double client_per_s,
                       struct om_rates **out)
{
    struct om_rates *rates = om_calloc(1, sizeof *rates);
    if (!rates) return OM_E_MEMORY;
    pthread_mutex_init(&rates->lock, NULL);
    rates->total_per_s = total_per_s;
    rates->client_per_s = client_per_s;
    rates->burst_s = OM_RATES_BURST_S;
    rates->total.at_s = -INFINITY;
    *out = rates;
    return OM_OK;
}

void om_rates_free(struct om_rates *rates)
{
    if (!rates) return;
    pthread_mutex_destroy(&rates->lock);
    om_free(rates);
}

void om_rates_set(struct om_rates *rates, double total_per_s,
                  double client_per_s)
{
    pthread_mutex_lock(&rates->lock);
    rates->total_per_s = total_per_s;
    rates->client_per_s = client_per_s;
    pthread_mutex_unlock(&rates->lock);
}

void om_rates_hold(struct om_rates *rates, double burst_s)
{
    pthread_mutex_lock(&rates->lock);
    rates->burst_s = burst_s;
    pthread_mutex_unlock(&rates->lock);
}

/* What has come since; a clock that went back brings nothing. */
static void fill(struct bucket *b, double per_s, double burst_s, double now_s)
{
    const double most = fmax(per_s * burst_s, 1.0);
    const double gone_s = now_s - b->at_s;
    if (gone_s > 0) b->tokens = fmin(most, b->tokens + gone_s * per_s);
    if (gone_s > 0) b->at_s = now_s;
}

/* Seconds until there is a token. */
static double wait_of(const struct bucket *b, double per_s)
{
    return b->tokens >= 1 ? 0 : (1 - b->tokens) / per_s;
}

static struct bucket *bucket_of(struct om_rates *rates, uint64_t client)
{
    struct bucket *set = rates->client[client % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].client == client) return &set[i];
        if (set[i].at_s < oldest->at_s) oldest = &set[i];
    }
    *oldest = (struct bucket){.client = client, .at_s = -INFINITY};
    return oldest;
}

double om_rates_take(struct om_rates *rates, uint64_t client, double now_s)
{
    return om_rates_spend(rates, client, 1, now_s);
}

double om_rates_spend(struct om_rates *rates, uint64_t client, double n,
                      double now_s)
{
    double wait_s = 0;
    struct bucket *own = NULL, *all = NULL;
    pthread_mutex_lock(&rates->lock);
    if (client && rates->client_per_s > 0) {
        own = bucket_of(rates, client);
        fill(own, rates->client_per_s, rates->burst_s, now_s);
        wait_s = wait_of(own, rates->client_per_s);
    }
    if (rates->total_per_s > 0) {
        all = &rates->total;
        fill(all, rates->total_per_s, rates->burst_s, now_s);
        wait_s = fmax(wait_s, wait_of(all, rates->total_per_s));
    }
    if (wait_s <= 0) {
        if (own) own->tokens -= n;
        if (all) all->tokens -= n;
    }
    pthread_mutex_unlock(&rates->lock);
    return wait_s;
}
