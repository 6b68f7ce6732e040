// handlers.h - what answers each route of the table.
#ifndef OM_WEB_SERVER_HANDLERS_H
#define OM_WEB_SERVER_HANDLERS_H

#include "web/server/server_internal.h"

om_status om__get_start(struct om__request *request);
om_status om__get_page(struct om__request *request);
/** A wall by its name: pressed, or sent to a unit. */
om_status om__post_wall(struct om__request *request);
/** 4 to 16 letters and digits. */
bool om__wall_name_ok(const char *text);
om_status om__get_embed(struct om__request *request);
om_status om__get_embed_script(struct om__request *request);
om_status om__get_file(struct om__request *request);
om_status om__get_health(struct om__request *request);
om_status om__get_metrics(struct om__request *request);
om_status om__get_tile(struct om__request *request);
om_status om__get_map(struct om__request *request);
om_status om__get_density(struct om__request *request);
om_status om__get_tilejson(struct om__request *request);
om_status om__get_metadata(struct om__request *request);
om_status om__get_matrix_sets(struct om__request *request);
om_status om__get_matrix_set(struct om__request *request);
om_status om__get_tilesets(struct om__request *request);
om_status om__get_tileset(struct om__request *request);
om_status om__get_tileset_tile(struct om__request *request);
om_status om__get_style(struct om__request *request);
om_status om__get_catalog(struct om__request *request);
om_status om__get_wmts(struct om__request *request);
om_status om__get_wmts_capabilities(struct om__request *request);
om_status om__get_wmts_tile(struct om__request *request);
om_status om__get_wmts_info(struct om__request *request);
om_status om__get_legend(struct om__request *request);
om_status om__get_legend_png(struct om__request *request);
om_status om__get_value(struct om__request *request);
om_status om__get_stats(struct om__request *request);
om_status om__get_changes(struct om__request *request);
om_status om__begin_positions(struct om__request *request);
om_status om__take_positions(struct om__request *request, const void *bytes,
                             size_t len);
void om__drop_positions(struct om__request *request);
om_status om__post_positions(struct om__request *request);
om_status om__get_positions(struct om__request *request);
om_status om__get_nearest(struct om__request *request);
om_status om__get_reach(struct om__request *request);
om_status om__get_search(struct om__request *request);
om_status om__get_reverse(struct om__request *request);
om_status om__get_coverage(struct om__request *request);
om_status om__get_hotspots(struct om__request *request);
om_status om__get_collections(struct om__request *request);
om_status om__get_collection(struct om__request *request);
om_status om__get_queryables(struct om__request *request);
om_status om__get_conformance(struct om__request *request);
om_status om__get_api(struct om__request *request);
om_status om__get_items(struct om__request *request);
om_status om__get_download(struct om__request *request);
om_status om__get_item(struct om__request *request);
om_status om__get_ready(struct om__request *request);

// write_routes.c
om_status om__begin_items(struct om__request *request);
om_status om__begin_put(struct om__request *request);
om_status om__begin_patch(struct om__request *request);
om_status om__begin_delete(struct om__request *request);
om_status om__write_take(struct om__request *request, const void *bytes,
                         size_t len);
om_status om__write_rows(struct om__request *request);
om_status om__delete_row(struct om__request *request);
void om__write_drop(struct om__request *request);

#endif
