// What a browser shows of what is not for it, or not there.
//
// Plan
//   401 and 404 are a page where text/html is asked for, and problem+json to
//   all others; the page names no thing that is asked for, and looks the same
//   for what is not yours and what is not there
//   its style is allowed by its policy and nothing else is; its colours are
//   those of style.css; axe finds nothing
//   figures of a release's server are for who runs it
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { launch, skip } from './chromium.mjs';
import { done } from './onemap.mjs';
import { askAs, makeSynthetic, token } from './roles.mjs';
import { get } from './sample.mjs';
import { serve } from './server.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8' };

test('pages for people who come to a wrong place', async (t) => {
    const { dir, city } = await makeSynthetic(t), admin = await token(city, 'admin'), wall = await token(city, 'wall');
    const { url } = await serve(t, city);

    await t.test('to browsers only, and alike for all', async () => {
        const seen = new Set();
        for (const target of ['/', '/wall', '/analyst', '/community', '/collections/rental/items', '/nothing', '/tiles/x/0/0/0.png', '/pages/style.css']) {
            const page = await get(url + target, { headers: HTML });
            assert.equal(page.status, 401, target);
            assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
            assert.equal(page.headers['cache-control'], 'no-store');
            assert.equal(page.headers['www-authenticate'], 'Bearer');
            seen.add(page.text());
            for (const accept of [undefined, '*/*', 'application/json', 'image/png,image/*;q=0.8', 'text/html;q=0'])
                assert.equal((await get(url + target, { headers: accept ? { accept } : {} })).headers['content-type'], 'application/problem+json', `${target} ${accept}`);
        }
        assert.equal(seen.size, 1);
        const [page] = seen;
        assert.match(page, /<html lang="zh-CN">[\s\S]*请用您的链接打开[\s\S]*lang="en"[\s\S]*open your link/i);
        assert.doesNotMatch(page, /<script|\son\w+=|src=|style=/);
        assert.match((await get(`${url}/wall?token=${'x'.repeat(30)}`, { headers: HTML })).text(), /请用您的链接打开/);

        const ask = askAs(url, wall);
        const none = await ask('/collections/rental/items/none', { headers: HTML }), mine = await ask('/collections/worker/items', { headers: HTML });
        assert.deepEqual([none.status, mine.status, none.headers['content-type']], [404, 404, 'text/html; charset=utf-8']);
        assert.match(none.text(), /没有这个页面[\s\S]*href="\/"[\s\S]*no such page/);
        assert.doesNotMatch(none.text(), /\/community/);
        assert.equal((await ask('/collections/none?f=json', { headers: HTML })).headers['content-type'], 'application/problem+json');
        assert.equal((await ask('/stats/hazard?by=none', { headers: HTML })).headers['content-type'], 'application/problem+json', '400 is for who writes addresses');
        const evil = (await ask(`/collections/${encodeURIComponent('<img src=x onerror=1>')}`, { headers: HTML })).text();
        assert.doesNotMatch(evil, /<img/);
    });

    await t.test('as a browser shows them', { skip }, async (t) => {
        const css = await readFile('web/pages/style.css', 'utf8');
        const value = (head, name) => { const at = css.indexOf(head); return new RegExp(`--${name}:\\s*([^;]+);`).exec(css.slice(at))[1]; };
        for (const [scheme, head] of [['light', ':root[data-theme="light"] {'], ['dark', ':root {']]) {
            const { context, page, close } = await launch(null, { colorScheme: scheme, viewport: { width: 360, height: 740 } }), said = [];
            page.on('console', (m) => said.push(m.text()));
            await page.goto(`${url}/analyst`);
            for (const name of ['ground', 'text', 'quiet', 'choice', 'edge'])
                assert.equal(await page.evaluate((n) => getComputedStyle(document.documentElement).getPropertyValue(`--${n}`).trim(), name), value(head, name), `${scheme} ${name}`);
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360 && getComputedStyle(document.body).margin === '0px'), 'the style is taken');
            // The page may run nothing, so axe comes in a world of its own.
            const cdp = await context.newCDPSession(page);
            await cdp.send('Page.setBypassCSP', { enabled: true });
            await page.reload();
            await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
            const { violations } = await page.evaluate(() => window.axe.run());
            assert.deepEqual(violations.map((v) => v.id), []);
            assert.deepEqual(said.filter((s) => !/401/.test(s)), []);
            await close();
        }
    });

    await t.test('a release', async (t) => {
        const release = path.join(dir, 'release'), file = path.join(dir, 'operator'), secret = 'operator-of-the-release-0123456789';
        await done('publish', city, release, '--quiet');
        await writeFile(file, `${secret}\n`);
        const { url } = await serve(t, release, '--in-charge-token-file', file);
        for (const headers of [{}, HTML, { authorization: 'Bearer nobody-knows-this-token-0123' }, { authorization: `Bearer ${admin}` }])
            assert.equal((await get(`${url}/metrics`, { headers })).status, 404);
        const mine = await get(`${url}/metrics`, { headers: { authorization: `Bearer ${secret}` } });
        assert.equal(mine.status, 200);
        assert.match(mine.text(), /onemap_requests_total/);
        assert.equal((await get(`${url}/collections`)).status, 200, 'all else is for everybody');
        assert.match((await get(`${url}/wrong`, { headers: HTML })).text(), /没有这个页面[\s\S]*href="\/community"/);
        assert.equal((await get(`${url}/ready`)).status, 200);
    });
});
