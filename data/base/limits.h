// limits.h - every cap on its line: what it limits, why this number, what
// happens at it.
#ifndef OM_DATA_BASE_LIMITS_H
#define OM_DATA_BASE_LIMITS_H

#include <stdint.h>

/** Threads of one parallel loop: stacks of per-thread state stay small. More
 *  cores than this stay idle. */
#define OM_LIMIT_THREADS 64
/** Rows of one segment: row numbers are 32 bits on disk. Import refuses. */
#define OM_LIMIT_SEGMENT_ROWS 4000000000u
/** Rows in one batch on their way from a source into a layer. */
#define OM_LIMIT_BATCH_ROWS 65536
/** Columns of a layer: far above any register seen. Import refuses. */
#define OM_LIMIT_COLUMNS 256
/** Bytes of a name (layer, column, unit) with its NUL. */
#define OM_LIMIT_NAME_BYTES 64
/** How far from 0 an integer may be: beyond, the doubles that JSON's readers
 *  have skip some (2^53). Such values are rejected rows. */
#define OM_LIMIT_INTEGER (INT64_C(1) << 53)
/** Bytes of one text value; longer ones are rejected rows. */
#define OM_LIMIT_TEXT_BYTES (1 << 20)
/** Bytes of a compressed or UTF-16 text file once unpacked: it is held in
 *  memory. Larger ones are to be unpacked by hand. */
#define OM_LIMIT_UNPACKED_BYTES ((size_t)4 << 30)
/** Bytes of a filter expression; longer ones are OM_E_LIMIT. */
#define OM_LIMIT_FILTER_BYTES 8192
/** Nesting of a filter expression: bounds the parser's stack. */
#define OM_LIMIT_FILTER_DEPTH 64
/** Seconds of one core for texts that a filter reads row by row, as estimated
 *  before it is asked: some ten LIKE over 12 million addresses. */
#define OM_LIMIT_FILTER_SCAN_S 20
/** Vertices of one polygon given in a query: bounds its work. OM_E_COST. */
#define OM_LIMIT_QUERY_VERTICES 100000
/** How often the sides of one polygon, asked for, written or imported, may cross
 *  each other: each is a vertex to be made, some 20 us, and of n sides n * n / 2
 *  can cross. More are refused. OM_E_COST. */
#define OM_LIMIT_SHAPE_CROSSINGS 1000
/** Nanoseconds of one core for the shapes of one request that are not plainly
 *  valid, as estimated before GEOS begins: thousands of bow ties. OM_E_COST. */
#define OM_LIMIT_BODY_SHAPES_NS UINT64_C(1000000000)
/** Rows of one nearest-K question: bounds its heap. OM_E_COST. */
#define OM_LIMIT_NEAREST 100000
/** Groups of one grouped count: bounds its tables. OM_E_COST. */
#define OM_LIMIT_GROUPS 1000000
/** Cells of one raster file: 16 GB as floats; more is OM_E_LIMIT. */
#define OM_LIMIT_RASTER_CELLS 4e9
/** Seconds that the time of a row may be later than the city's clock: clocks of
 *  devices differ, and some round to minutes. Later ones are refused. */
#define OM_LIMIT_AHEAD_S (5 * 60)
/** Values that a table of weights names: they are compared with every row. */
#define OM_LIMIT_WEIGHT_VALUES 4096
/** Bytes of city.json and other configuration files. */
#define OM_LIMIT_JSON_BYTES (64 << 20)

#endif
