// facts.h - what is on record about the city, and what is made up beside it.
#ifndef OM_DATA_SYNTH_FACTS_H
#define OM_DATA_SYNTH_FACTS_H

#include <stddef.h>
#include <stdint.h>

#define OM__TOWNS 33
#define OM__DEPARTMENTS 19
#define OM__OBJECTS 28   // things that hazards are found on
#define OM__PROBLEMS 14  // what is wrong with them; 28 x 14 = 392 items

struct om__town_fact {
    const char *code, *name, *name_en;
    uint32_t population;  // census 2020
    double area_km2, lon_deg, lat_deg;
    uint32_t villages;  // sum 597
};
extern const struct om__town_fact OM__TOWN_FACT[OM__TOWNS];

/* Rows and totals at scale 1. */
struct om__counts {
    uint64_t village, grid, building, address, residents, rental;
    uint64_t rental_residents, premises, premises_residents, facility, business;
    uint64_t windows, terminals, staff, organisation, activity, worker;
    uint64_t hazard, hazard_done, check, appeal_project, appeal_call, tip, wish;
};
extern const struct om__counts OM__COUNTS;

/* Hazards: an object belongs to one department. */
struct om__object {
    const char *name, *name_en;
    unsigned department;
    unsigned severity;  // 1 to 4, usual
};
extern const struct om__object OM__OBJECT[OM__OBJECTS];
extern const char *const OM__PROBLEM[OM__PROBLEMS];
extern const char *const OM__PROBLEM_EN[OM__PROBLEMS];
extern const char *const OM__DEPARTMENT[OM__DEPARTMENTS];
extern const char *const OM__DEPARTMENT_EN[OM__DEPARTMENTS];

/** Made-up names of rivers, highways and lakes with their courses. */
struct om__course {
    const char *kind, *name;
    double half_width_m;
    size_t points;
    double at[16][2];  // lon, lat in degrees
};
extern const struct om__course OM__WATER[];
extern const size_t OM__WATERS;
extern const struct om__course OM__HIGHWAY[];
extern const size_t OM__HIGHWAYS;
/* A lake has one point and its radius. */
extern const struct om__course OM__LAKE[];
extern const size_t OM__LAKES;
/* The coast from north-west to south-east; the sea is on its right. */
extern const struct om__course OM__COAST;
/* The other bank of the estuary, from north to south: made up. */
extern const struct om__course OM__FAR_SHORE;

#endif
