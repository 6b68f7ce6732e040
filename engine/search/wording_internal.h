// wording_internal.h - words of a question that are not of the name.
#ifndef OM_ENGINE_SEARCH_WORDING_INTERNAL_H
#define OM_ENGINE_SEARCH_WORDING_INTERNAL_H

#include "engine/search/text.h"

/** Words of English that say what something is in Chinese, and the largest
 * first (Lane 9, Humen Town: Humen 镇, 巷 9); what does not fit into `room`
 * bytes is left out. returns bytes of out */
size_t om__wording_translate(const char *text, size_t len, char *out,
                             size_t room);
/** Where words at the end begin that say only that somebody is beside what
 *  stands before them (19号对面); the number of tokens where there are none. */
size_t om__wording_beside(const struct om_search_text *text);

#endif
