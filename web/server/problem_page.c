/* problem_page.c - what a browser shows of 401 and 404: a page for people.
 *
 * DESIGN
 * Who shows no token is told nothing, not even a style sheet; so the page's
 * style stands in it, and its policy allows that style by its hash and nothing
 * else. The colours are those of web/pages/style.css
 * (tests/web/browser.test.mjs compares, and sees that browsers take it).
 */
#include "web/server/media.h"
#include "web/server/reply.h"
#include "web/server/server_internal.h"
#include "web/server/wmts.h"

#define STYLE                                                                \
    ":root{color-scheme:light dark;--ground:#f6f7f9;--text:#17202c;"         \
    "--quiet:#5a6878;--edge:rgb(23 32 44 / 22%);--choice:#0b6bcb}"           \
    "@media(prefers-color-scheme:dark){:root{--ground:#0b111b;"              \
    "--text:#e7edf5;--quiet:#93a4ba;--edge:rgb(231 237 245 / 22%);"          \
    "--choice:#5cc8ff}}body{margin:0;background:var(--ground);"              \
    "color:var(--text);"                                                     \
    "font:1rem/1.6 \"Noto Sans CJK SC\",\"Noto Sans SC\",\"Source Han Sans " \
    "SC\",\"PingFang SC\",\"Microsoft YaHei\",system-ui,sans-serif}"         \
    "main{max-width:34em;margin:0 auto;padding:12vh 24px 24px}h1{"           \
    "font-size:1.5625rem;line-height:1.3;font-weight:600;margin:0 0 8px}p{"  \
    "margin:0 0 8px}[lang=en]{color:var(--quiet)}section+section{"           \
    "margin-top:24px;padding-top:24px;border-top:1px solid var(--edge)}h2{"  \
    "font-size:1rem;font-weight:600;margin:0 0 4px}a{color:var(--choice);"   \
    "display:inline-block;min-height:44px;line-height:44px;"                 \
    "margin-right:24px}code{font-size:.8125rem;color:var(--quiet);"          \
    "overflow-wrap:anywhere}"

static const char POLICY[] =
    "default-src 'none'; style-src "
    "'sha256-KTOZB8VU5lo2H9EgKW7kChyd5U4zLad3q/cfGOAC56Y='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/* What to do, in both languages. */
struct words {
    const char *title, *title_en, *text, *text_en;
};
static const struct words NO_TOKEN = {
    "请用您的链接打开", "Please open your link",
    "这里的内容只给持有凭证的人看。请用管理员发给您的完整链接打开一次,之后这台"
    "浏览器会记住。链接打不开,就是已经过期或被收回了,请向管理员要一个新的。",
    "This is for people who hold a token. Open the whole link that your "
    "administrator sent you once; this browser will remember it. A link that "
    "does not work has expired or was revoked: ask for a new one."};
static const struct words NOT_THERE = {
    "没有这个页面", "There is no such page",
    "地址可能写错了,或者这里没有给您看的内容。",
    "The address may be wrong, or there is nothing here for you to see."};

bool om__problem_page_wanted(const struct om__request *r, unsigned status)
{
    if (status != MHD_HTTP_UNAUTHORIZED && status != MHD_HTTP_NOT_FOUND)
        return false;
    return r->accept && om__coding_wanted(r->accept, "text/html") &&
           !om_address_param(&r->address, "f");
}

const char *om__problem_page(const struct om__request *r, unsigned status,
                             const char *detail, struct om_buf *out)
{
    const bool nobody = status == MHD_HTTP_UNAUTHORIZED;
    const struct words *say = nobody ? &NO_TOKEN : &NOT_THERE;
    om_buf_addf(out,
                "<!doctype html>\n<html lang=\"zh-CN\">\n<meta "
                "charset=\"utf-8\">\n<meta name=\"viewport\" "
                "content=\"width=device-width, initial-scale=1\">\n"
                "<title>%s · onemap</title>\n<style>",
                say->title);
    om_buf_add_text(out, STYLE "</style>\n<main>\n<section>\n");
    om_buf_addf(out, "<h1>%s</h1>\n<p>%s</p>\n", say->title, say->text);
    if (!nobody)
        om_buf_add_text(out, r->server->release
                                 ? "<p><a href=\"/community\">社区地图</a>"
                                   "<a href=\"/\">首页</a></p>\n"
                                 : "<p><a href=\"/\">首页</a></p>\n");
    om_buf_addf(out,
                "</section>\n<section lang=\"en\">\n<h2>%s</h2>\n<p>%s</p>"
                "\n<p><code>%u ",
                say->title_en, say->text_en, status);
    om__xml_add(out, detail);
    om_buf_add_text(out, "</code></p>\n</section>\n</main>\n</html>\n");
    return POLICY;
}
