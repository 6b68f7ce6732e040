// analyst_page.mjs - the analyst's page in a real browser: opened, waited for.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { GL, launch, MOST_MS, onTheirWay, rest } from './chromium.mjs';
import { untilWithin } from './until.mjs';

export { skip } from './chromium.mjs';
const require = createRequire(path.resolve('web/pages/package.json'));
const WIDTH = 1440, HEIGHT = 900;

/** A browser of its own; what it asked for and what it said. */
export async function browse(t, url, { flags = GL, scheme = 'dark', width = WIDTH, height = HEIGHT, lang = 'zh-CN', touch = false } = {}) {
    const { page } = await launch(t, { flags, viewport: { width, height }, colorScheme: scheme, timezoneId: 'America/New_York', locale: lang, hasTouch: touch, acceptDownloads: true });
    const log = { way: onTheirWay(page), hosts: new Set(), bad: [], said: [], tiles: [] };
    page.on('request', (r) => { if (/^(https?|wss?):/.test(r.url())) log.hosts.add(new URL(r.url()).host); });
    page.on('response', (r) => {
        if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`);
        if (r.url().includes('/tiles/heat:') && r.status() === 200 && r.headers()['content-type'] === 'image/png') log.tiles.push(r.url());
    });
    page.on('pageerror', (e) => log.said.push(e.message));
    page.on('console', (m) => { if (m.type() === 'error') log.said.push(m.text()); });
    await page.goto(url);
    return { page, log };
}

export const until = untilWithin(MOST_MS);

/** Does the map wait for tiles? */
export const mapWaits = () => !document.getElementById('busy').hidden;

/** When nothing is on its way, nor asked for soon. */
export const idle = (page, log) => rest(page, log.way, mapWaits);

/** What axe finds in the page as it stands. */
export async function accessible(page, what) {
    // The page may run nothing, so axe comes in a world of its own.
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
    assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), []);
}
