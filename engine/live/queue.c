// queue.c - writes that wait for the committer, and which come next.
#include "engine/live/live_internal.h"

/* DESIGN
 * A write of one row should never wait for more than one group of many. So
 * there are two queues: those with at most FEW_ROWS rows go first, and after a
 * group of many rows all that have come meanwhile are a group by themselves,
 * which is as quick as the disk. Those of many rows go in their order, as many
 * as make GROUP_ROWS; one that is larger is a group of its own, since it is
 * there as a whole or not at all. Neither can starve: after a group of few rows
 * those of many have their turn, and whoever waits then goes with them. What is
 * made ready (bulk.c) has a piece written between two groups. While the queue
 * is paused (pace.c) only those of few rows go. */

#define FEW_ROWS 64
/* Rows after which a group takes no further write. */
#define GROUP_ROWS 3000

static void add(struct om__waiting *w, struct om_write *write)
{
    if (w->last)
        w->last->next = write;
    else
        w->first = write;
    w->last = write;
    w->writes++;
    w->rows += write->batch->rows;
}

void om__queue_add(struct om__queue *queue, struct om_write *write)
{
    write->next = NULL;
    add(write->bulk                     ? &queue->bulk
        : write->batch->rows > FEW_ROWS ? &queue->many
                                        : &queue->few,
        write);
}

size_t om__queue_writes(const struct om__queue *queue)
{
    return queue->few.writes + queue->many.writes + queue->bulk.writes;
}

size_t om__queue_rows(const struct om__queue *queue)
{
    return queue->few.rows + queue->many.rows + queue->bulk.rows;
}

size_t om__queue_ready(const struct om__queue *queue)
{
    return queue->paused ? queue->few.writes : om__queue_writes(queue);
}

size_t om__queue_many_taken(struct om__queue *queue)
{
    const size_t rows = queue->many_taken;
    queue->many_taken = 0;
    return rows;
}

bool om__queue_is_pressing(const struct om__queue *queue)
{
    return queue->many_had_its_turn && queue->few.writes;
}

bool om__queue_is_full(const struct om__queue *queue)
{
    const size_t rows = queue->paused ? queue->few.rows : om__queue_rows(queue);
    return rows >= GROUP_ROWS || om__queue_is_pressing(queue);
}

static struct om_write *take_first(struct om__waiting *from)
{
    struct om_write *write = from->first;
    from->first = write->next;
    if (!from->first) from->last = NULL;
    from->writes--;
    from->rows -= write->batch->rows;
    write->next = NULL;
    return write;
}

/* Move writes from one end to the other until the rows are enough. A write that
 * would be too much waits, unless there is nothing else. */
static void move(struct om__waiting *from, struct om__waiting *to)
{
    while (from->first &&
           (to->rows == 0 || to->rows + from->first->batch->rows <= GROUP_ROWS))
        add(to, take_first(from));
}

struct om_write *om__queue_bulk(const struct om__queue *queue)
{
    return queue->paused ? NULL : queue->bulk.first;
}

void om__queue_bulk_take(struct om__queue *queue)
{
    queue->many_taken += take_first(&queue->bulk)->batch->rows;
}

struct om_write *om__queue_take(struct om__queue *queue, size_t *writes)
{
    struct om__waiting group = {0};
    const bool turn =
        !queue->paused && (!queue->few.first || !queue->many_had_its_turn);
    queue->many_had_its_turn = turn && queue->many.first;
    // Those of many first: what is left of the room is enough for the few.
    if (turn) move(&queue->many, &group);
    queue->many_taken += group.rows;
    move(&queue->few, &group);
    *writes = group.writes;
    return group.first;
}
