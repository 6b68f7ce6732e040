// analyst_page.mjs - the analyst's page in a real browser: opened, waited for.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { untilWithin } from './until.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
const GL = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const WIDTH = 1440, HEIGHT = 900;

/** A browser of its own; what it asked for and what it said. */
export async function browse(t, url, { flags = GL, scheme = 'dark', width = WIDTH, height = HEIGHT, lang = 'zh-CN', touch = false } = {}) {
    const { chromium } = require('playwright-core');
    const profile = await mkdtemp(path.join(tmpdir(), 'onemap-profile-'));
    const context = await chromium.launchPersistentContext(profile, {
        executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags],
        viewport: { width, height }, colorScheme: scheme, timezoneId: 'America/New_York', locale: lang, hasTouch: touch, acceptDownloads: true,
    });
    t.after(async () => {
        await context.close();
        await rm(profile, { recursive: true, force: true });
    });
    const page = context.pages()[0] ?? await context.newPage();
    const log = { hosts: new Set(), bad: [], said: [], tiles: [] };
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

export const until = untilWithin(45000);

/** When nothing is on its way. */
export const idle = (page, log) => until('the map comes to rest', async () => {
    const tiles = log.tiles.length;
    await page.waitForTimeout(600);
    return log.tiles.length === tiles && await page.evaluate(() => document.getElementById('busy').hidden);
});

/** What axe finds in the page as it stands. */
export async function accessible(page, what) {
    // The page may run nothing, so axe comes in a world of its own.
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }));
    assert.deepEqual(violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`), []);
}
