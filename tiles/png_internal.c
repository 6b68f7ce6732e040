// png_internal.c - libpng made and let go of.
#include "tiles/png_internal.h"

#include "data/base/alloc.h"

static void add_bytes(png_structp png, png_bytep bytes, size_t len)
{
    struct om_buf *out = png_get_io_ptr(png);
    if (om_buf_add(out, bytes, len)) png_error(png, "out of memory");
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/* libpng prints its messages otherwise. */
static void leave(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void *take_memory(png_structp png, png_alloc_size_t bytes)
{
    (void)png;
    return om_alloc(bytes);
}

static void give_memory(png_structp png, void *block)
{
    (void)png;
    om_free(block);
}

static om_status init_info(struct om__png *png)
{
    if (png->png) png->info = png_create_info_struct(png->png);
    return png->info ? OM_OK : OM_E_MEMORY;
}

om_status om__png_init_write(struct om__png *png, struct om_buf *out)
{
    *png = (struct om__png){.out = out};
    png->png =
        png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, leave, ignore,
                                  NULL, take_memory, give_memory);
    if (png->png) png_set_write_fn(png->png, out, add_bytes, flush_nothing);
    return init_info(png);
}

om_status om__png_init_read(struct om__png *png)
{
    *png = (struct om__png){.reads = true};
    png->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, NULL, leave,
                                        ignore, NULL, take_memory, give_memory);
    return init_info(png);
}

void om__png_deinit(struct om__png *png)
{
    if (png->png && png->reads)
        png_destroy_read_struct(&png->png, &png->info, NULL);
    else if (png->png)
        png_destroy_write_struct(&png->png, &png->info);
    *png = (struct om__png){0};
}

om_status om__png_why(const struct om__png *png)
{
    return png->out && png->out->status ? png->out->status : OM_E_MEMORY;
}
