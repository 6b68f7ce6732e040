// text.h - a name or an address as the search sees it: tokens and numbers.
#ifndef OM_ENGINE_SEARCH_TEXT_H
#define OM_ENGINE_SEARCH_TEXT_H

#include "engine/search/fold.h"

/** Tokens of one text that are looked at; what is behind them is not found. */
#define OM_SEARCH_TOKENS 120
/** Numbers of one text. */
#define OM_SEARCH_NUMBERS 12
/** Stands where a number is. */
#define OM_TOKEN_NUMBER 1
/** Stands before the first token, in pairs of sounds. */
#define OM_SOUND_BEGIN 2

/* Tokens of om_fold, each number one OM_TOKEN_NUMBER and its value in order:
 * "新兴三巷12号302房" is 新兴三巷#号#房 and 12, 302. */
struct om_search_text {
    size_t tokens, numbers;
    uint16_t token[OM_SEARCH_TOKENS];
    uint32_t number[OM_SEARCH_NUMBERS];
};

/**
 * Fold a text. Numbers are written in digits where a door, a floor or a house
 * is counted (十四号 as 14号) and in characters where they are part of a name
 * (3巷 as 三巷), so that both spellings meet. Bytes that are not UTF-8 are
 * passed over.
 * cost     some 100 ns
 */
void om_search_fold(const struct om_fold *fold, const char *text, size_t len,
                    struct om_search_text *out);

/** Is it a character that ends the name of a unit, a road or a door (镇, 路,
 *  号)? People leave these out and put them in. */
bool om_token_is_suffix(uint16_t token);
/** Letters a to z. */
static inline bool om_token_is_letter(uint16_t token)
{
    return token >= 'a' && token <= 'z';
}
/** First letter of how a token sounds: 0 to 25, or -1. */
int om_token_initial(const struct om_fold *fold, uint16_t token);

#endif
