// squeeze.c - blanks and remarks of a script, by what stands beside them.
#include "web/server/squeeze.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Templates in templates. */
#define NESTED_MOST 16

struct reading {
    const char *at, *end;
    struct om_buf *out;
    size_t begin;  // of the script in `out`
    // Open braces inside ${} of each template that is open.
    size_t braces[NESTED_MOST], nested;
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' ||
           (unsigned char)c >= 128;
}

static char last(const struct reading *r)
{
    return r->out->len > r->begin ? (char)r->out->bytes[r->out->len - 1] : '\n';
}

static void copy(struct reading *r, size_t n)
{
    om_buf_add(r->out, r->at, n);
    r->at += n;
}

/* Up to the unescaped `close`; in a regular expression not one in a class. */
static void copy_quoted(struct reading *r, char close)
{
    bool in_class = false;
    const char *at = r->at + 1;
    for (; at < r->end && (*at != close || in_class); at++) {
        if (*at == '\\' && at + 1 < r->end)
            at++;
        else if (close == '/' && (*at == '[' || *at == ']'))
            in_class = *at == '[';
    }
    copy(r, (size_t)(at - r->at) + (at < r->end));
}

/* From ` or from } up to ` or ${; r->nested says which it was. */
static void copy_template(struct reading *r)
{
    const char *at = r->at + 1;
    while (at < r->end && *at != '`' &&
           !(*at == '$' && at + 1 < r->end && at[1] == '{'))
        at += *at == '\\' && at + 1 < r->end ? 2 : 1;
    const bool opens = at < r->end && *at == '$';
    copy(r, (size_t)(at - r->at) + (at < r->end) + opens);
    if (opens && r->nested < NESTED_MOST) r->braces[r->nested++] = 0;
}

static bool begins_expression(const struct reading *r)
{
    static const char word[] = "return";
    const size_t n = sizeof word - 1;
    const uint8_t *bytes = r->out->bytes + r->begin;
    size_t len = r->out->len - r->begin;
    while (len && (bytes[len - 1] == ' ' || bytes[len - 1] == '\n')) len--;
    if (!len || strchr("(,=:[!&|?{;>+*", bytes[len - 1])) return true;
    return len >= n && !memcmp(bytes + len - n, word, n) &&
           (len == n || !is_word((char)bytes[len - n - 1]));
}

/* Past blanks and remarks: a line, a blank, or nothing in their place. */
static void skip(struct reading *r)
{
    bool line = false;
    const char *at = r->at;
    for (;;) {
        while (at < r->end && isspace((unsigned char)*at))
            line |= *at++ == '\n';
        const bool one = at + 1 < r->end && at[0] == '/' && at[1] == '/';
        const bool many = at + 1 < r->end && at[0] == '/' && at[1] == '*';
        if (!one && !many) break;
        for (at += 2; at < r->end; at++) {
            if (one && *at == '\n') break;
            if (many && *at == '/' && at[-1] == '*') break;
            line |= *at == '\n';
        }
        if (many && at < r->end) at++;
    }
    r->at = at;
    const char before = last(r), after = at < r->end ? *at : '\n';
    if (before == '\n') return;
    // No statement ends behind these, and the one before a brace does anyway.
    const bool goes_on = strchr("{;,([", before) || after == '}';
    if (at == r->end || (line && !goes_on))
        om_buf_add_byte(r->out, '\n');
    else if ((is_word(before) && is_word(after)) || before == '/' ||
             after == '/' || (strchr("+-", before) && strchr("+-", after)))
        om_buf_add_byte(r->out, ' ');
}

static bool is_remark(const struct reading *r)
{
    return r->at + 1 < r->end && r->at[0] == '/' &&
           (r->at[1] == '/' || r->at[1] == '*');
}

static void step(struct reading *r)
{
    const char c = *r->at;
    size_t *braces = r->nested ? &r->braces[r->nested - 1] : NULL;
    if (isspace((unsigned char)c) || is_remark(r)) {
        skip(r);
    } else if (c == '"' || c == '\'') {
        copy_quoted(r, c);
    } else if (c == '`') {
        copy_template(r);
    } else if (c == '}' && braces && !*braces) {
        r->nested--;
        copy_template(r);
    } else if (c == '/' && begins_expression(r)) {
        copy_quoted(r, c);
    } else {
        if (braces && c == '{') ++*braces;
        if (braces && c == '}') --*braces;
        copy(r, 1);
    }
}

om_status om__script_squeeze(const char *script, size_t len, struct om_buf *out)
{
    struct reading r = {
        .at = script, .end = script + len, .out = out, .begin = out->len};
    while (r.at < r.end && !out->status) step(&r);
    if (last(&r) != '\n') om_buf_add_byte(out, '\n');
    return out->status;
}
