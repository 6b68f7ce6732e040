/* kernel.c - the kernels, and the few products that stand for them.
 *
 * DESIGN
 * A radial kernel is not a product of a function of x and one of y, but it is
 * very nearly a sum of four: the largest eigenpairs of the matrix K(u_i, v_j),
 * found by subspace iteration. A factor is continued between the matrix's
 * points by its own equation (Nystrom): phi(u) = 1/lambda int K(u, v) phi(v),
 * so it is as smooth as the kernel. Silverman (1986), p. 76, for the quartic.
 */
#include <math.h>
#include <string.h>

#include "data/base/alloc.h"
#include "engine/field/field_internal.h"

#define POINTS 128
#define ROUNDS 30
/* The Gaussian's sigma is a third of the bandwidth: exp(-q / (2 / 9)). */
#define GAUSS_RATE 4.5

double om__kernel_shape(enum om_kernel kind, double q)
{
    if (!(q < 1.0)) return 0.0;
    if (kind == OM_KERNEL_GAUSSIAN) return exp(-GAUSS_RATE * q);
    if (kind == OM_KERNEL_EPANECHNIKOV) return 1.0 - q;
    return (1.0 - q) * (1.0 - q);
}

double om__kernel_bend(enum om_kernel kind, double q)
{
    if (!(q < 1.0)) return 0.0;
    // The Laplacian of f(r^2) is 4 (q f'' + f').
    if (kind == OM_KERNEL_GAUSSIAN)
        return 2.0 * GAUSS_RATE * (GAUSS_RATE * q - 1.0) * exp(-GAUSS_RATE * q);
    if (kind == OM_KERNEL_EPANECHNIKOV) return -2.0;
    return 8.0 * q - 4.0;
}

double om__kernel_peak(enum om_kernel kind)
{
    // 1 over the integral of the shape, pi * int_0^1 shape(q) dq.
    if (kind == OM_KERNEL_GAUSSIAN)
        return GAUSS_RATE / (OM_PI * (1.0 - exp(-GAUSS_RATE)));
    return (kind == OM_KERNEL_EPANECHNIKOV ? 2.0 : 3.0) / OM_PI;
}

/* The Gaussian is cut where it is 1.1 % of its peak. No lattice can follow a
 * step; its factors fall from there to 0 over this part of the radius, half
 * inside and half outside, so that they are off by no more than half of it. */
#define SOFT 0.125

static double soft_shape(enum om_kernel kind, double q)
{
    if (kind != OM_KERNEL_GAUSSIAN) return om__kernel_shape(kind, q);
    const double left = (1.0 + SOFT / 2.0 - sqrt(q)) / SOFT;
    return exp(-GAUSS_RATE * q) * fmin(fmax(left, 0.0), 1.0);
}

/* The matrix and its leading vectors, over [0, reach]. */
struct eigen {
    double reach;
    double matrix[POINTS][POINTS];
    double vector[OM_FIELD_RANK][POINTS];
};

static double point(const struct eigen *e, unsigned i)
{
    return (i + 0.5) / POINTS * e->reach;
}

/* The kernel between u and point j. */
static double between(const struct eigen *e, enum om_kernel kind, double u,
                      unsigned j)
{
    return soft_shape(kind, u * u + point(e, j) * point(e, j));
}

static void multiply(const struct eigen *e, const double *in, double *out)
{
    for (unsigned i = 0; i < POINTS; i++) {
        double sum = 0.0;
        for (unsigned j = 0; j < POINTS; j++) sum += e->matrix[i][j] * in[j];
        out[i] = sum;
    }
}

static double dot(const double *a, const double *b)
{
    double sum = 0.0;
    for (unsigned i = 0; i < POINTS; i++) sum += a[i] * b[i];
    return sum;
}

/* Gram-Schmidt: make vector r orthogonal to those before it, length 1. */
static void straighten(struct eigen *e, unsigned r)
{
    for (unsigned q = 0; q < r; q++) {
        const double along = dot(e->vector[r], e->vector[q]);
        for (unsigned i = 0; i < POINTS; i++)
            e->vector[r][i] -= along * e->vector[q][i];
    }
    const double length = sqrt(dot(e->vector[r], e->vector[r]));
    for (unsigned i = 0; i < POINTS; i++) e->vector[r][i] /= length;
}

static void iterate(struct eigen *e, enum om_kernel kind)
{
    for (unsigned i = 0; i < POINTS; i++)
        for (unsigned j = 0; j < POINTS; j++)
            e->matrix[i][j] = between(e, kind, point(e, i), j) / POINTS;
    for (unsigned r = 0; r < OM_FIELD_RANK; r++)
        for (unsigned i = 0; i < POINTS; i++)
            e->vector[r][i] = cos(r * OM_PI * point(e, i)) + 0.01 * (i % 7);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned r = 0; r < OM_FIELD_RANK; r++) {
            double next[POINTS];
            multiply(e, e->vector[r], next);
            memcpy(e->vector[r], next, sizeof next);
            straighten(e, r);
        }
}

/* With vectors of length 1 over points 1/POINTS apart, K = sum of lambda *
 * POINTS * v(u) v(v), and v(u) = sum of K(u, v_j) v_j / (POINTS * lambda). */
static void tabulate(struct om__kernel *k, const struct eigen *e, unsigned r)
{
    double image[POINTS];
    multiply(e, e->vector[r], image);
    const double lambda = dot(image, e->vector[r]);
    k->weight[r] = lambda * POINTS;
    for (unsigned i = 0; i <= OM_FIELD_STEPS; i++) {
        const double u = (double)i / OM_FIELD_STEPS * k->reach;
        double sum = 0.0;
        for (unsigned j = 0; j < POINTS; j++)
            sum += between(e, k->kind, u, j) * e->vector[r][j];
        k->factor[r][i] = (float)(sum / POINTS / lambda);
    }
    k->factor[r][OM_FIELD_STEPS + 1] = 0.0f;
}

/* Cumulative mass over the square, by midpoints; the last is 1 exactly. */
static void sum_quadrants(struct om__kernel *k)
{
    const unsigned n = OM_FIELD_QUADRANT;
    memset(k->quadrant, 0, sizeof k->quadrant);
    double below[OM_FIELD_QUADRANT + 1] = {0};  // column sums so far
    double total[OM_FIELD_QUADRANT + 1];
    for (unsigned row = 1; row <= n; row++) {
        const double v = (row - 0.5) * 2.0 / n - 1.0;
        double run = 0.0;
        for (unsigned col = 1; col <= n; col++) {
            const double u = (col - 0.5) * 2.0 / n - 1.0;
            below[col] += om__kernel_shape(k->kind, u * u + v * v);
            run += below[col];
            k->quadrant[row][col] = (float)run;
        }
        total[row] = run;
    }
    const float all = (float)total[n];
    for (unsigned row = 0; row <= n; row++) {
        for (unsigned col = 0; col <= n; col++) k->quadrant[row][col] /= all;
        k->quadrant[row][n + 1] = k->quadrant[row][n];
    }
    memcpy(k->quadrant[n + 1], k->quadrant[n], sizeof k->quadrant[n]);
}

/* Along an axis: half of the mean of r^2, by midpoints in q = r^2. */
static double variance_of(enum om_kernel kind)
{
    double mass = 0.0, moment = 0.0;
    for (unsigned i = 0; i < 1024; i++) {
        const double q = (i + 0.5) / 1024.0;
        mass += om__kernel_shape(kind, q);
        moment += q * om__kernel_shape(kind, q);
    }
    return moment / mass / 2.0;
}

om_status om__kernel_init(struct om__kernel *kernel, enum om_kernel kind)
{
    struct eigen *eigen = om_alloc(sizeof *eigen);  // too large for a stack
    if (!eigen) return OM_E_MEMORY;
    kernel->kind = kind;
    kernel->peak = om__kernel_peak(kind);
    kernel->variance = variance_of(kind);
    kernel->reach = kind == OM_KERNEL_GAUSSIAN ? 1.0 + SOFT / 2.0 : 1.0;
    eigen->reach = kernel->reach;
    iterate(eigen, kind);
    for (unsigned r = 0; r < OM_FIELD_RANK; r++) tabulate(kernel, eigen, r);
    sum_quadrants(kernel);
    om_free(eigen);
    return OM_OK;
}

double om__kernel_factor(const struct om__kernel *kernel, unsigned r, double u)
{
    const double at = fabs(u) / kernel->reach * OM_FIELD_STEPS;
    if (!(at < OM_FIELD_STEPS)) return 0.0;
    const unsigned i = (unsigned)at;
    const double part = at - i;
    return kernel->factor[r][i] * (1.0 - part) +
           kernel->factor[r][i + 1] * part;
}
