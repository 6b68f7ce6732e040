// plane.h - metres around the middle of the city, and noise over them.
#ifndef OM_DATA_SYNTH_PLANE_H
#define OM_DATA_SYNTH_PLANE_H

#include <math.h>
#include <stdint.h>

/* Plane coordinates: metres east and north of this point, equirectangular.
 * Good to 0.1 % over the city, which is plenty for an invention. */
#define OM__PLANE_LON_DEG 113.9
#define OM__PLANE_LAT_DEG 22.9

struct om__xy {
    double x, y;
};
/* A corner as it is written: degrees times 1e7 (about a centimetre). All
 * outlines are made of these, so shared ones are equal to the bit. */
struct om__corner {
    int32_t lon_e7, lat_e7;
};

/** Metres of one degree at the middle of the city. Constants of WGS 84. */
double om__plane_lon_m(void);
double om__plane_lat_m(void);

struct om__xy om__plane_from_deg(double lon_deg, double lat_deg);
struct om__corner om__plane_corner(struct om__xy p);
struct om__xy om__plane_from_corner(struct om__corner c);

/** Smooth noise in [-1, 1] with features of about `size_m`, two octaves. */
double om__noise(uint64_t seed, unsigned layer, struct om__xy p, double size_m);

/** A point of a smooth curve (Catmull-Rom) through `n` points; t in [0, n-1].
 */
struct om__xy om__curve_at(const struct om__xy *point, unsigned n, double t);

/* The same bits on every machine, unlike libm's, which has versions by
 * processor: the city of a seed is one city. Errors below 1e-9. */
double om__exp(double x);
void om__turn(double rad, double *cosine, double *sine);

static inline double om__distance(struct om__xy a, struct om__xy b)
{
    return sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
}

#endif
