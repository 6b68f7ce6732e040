// chromium.mjs - the browser of the tests: opened, watched until it rests, closed.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { slow } from './late.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Why tests of pages are skipped, or false. */
export const skip = !existsSync(CHROMIUM) && 'there is no browser here';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];
export const GL = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'], NO_GL = ['--disable-3d-apis'];

/** What is waited for at most: longer than any machine takes. */
export const MOST_MS = 180e3;

/** A browser with a profile of its own: {context, page, close}; with a test, closed at its end. */
export async function launch(t, { flags = [], ...options } = {}) {
    const { chromium } = require('playwright-core');
    const profile = await mkdtemp(path.join(tmpdir(), 'onemap-profile-'));
    const context = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags], ...options });
    context.setDefaultTimeout(MOST_MS);
    slow(context);
    const close = async () => {
        await context.close();
        await rm(profile, { recursive: true, force: true });
    };
    t?.after(close);
    return { context, page: context.pages()[0] ?? await context.newPage(), close };
}

/** Requests of a page that are on their way, the stream apart, which never ends. */
export function onTheirWay(page) {
    const way = new Set();
    let going = null;
    page.on('request', (r) => {
        if (r.isNavigationRequest() && r.frame() === page.mainFrame()) going = r;
        if (r.resourceType() !== 'eventsource' && /^https?:/.test(r.url())) way.add(r);
    });
    // Of what was asked for by a page that is left nobody says how it ended.
    page.on('framenavigated', (frame) => {
        if (going && frame === page.mainFrame()) for (const r of way) if (r !== going) way.delete(r);
    });
    page.on('domcontentloaded', () => { going = null; });
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => way.delete(r));
    return way;
}

/** Longer than what a page waits before it asks (web/pages/analyst/steps.js: 450). */
const PAUSE_MS = 500, REST_MOST_MS = 240e3;

/**
 * Until a page has all that it wants. Its own clock tells when it would have
 * asked for more: a timer that is set later and for longer ends later, however
 * slow the machine is; then two frames are drawn.
 */
export async function rest(page, way, busy = () => false) {
    const end = Date.now() + REST_MOST_MS;
    for (let asked = true; asked;) {
        if (Date.now() > end) assert.fail(`it never rests: ${[...way].map((r) => r.url())}`);
        asked = way.size > 0 || await page.evaluate(busy);
        const more = () => { asked = true; };
        page.on('request', more);
        await page.evaluate((ms) => new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), ms)), PAUSE_MS);
        page.off('request', more);
        asked ||= way.size > 0 || await page.evaluate(busy);
    }
}

/** A picture of what no longer changes. */
export async function stillShot(page, options) {
    for (let before = await page.screenshot(options); ;) {
        const now = await page.screenshot(options);
        if (now.equals(before)) return now;
        before = now;
    }
}
