// The one language of the pages, as values.
//
// Plan
//   light is said twice (data-theme="light", and "auto" where the system is
//   light) and is the same both times; dark and light have the same tokens
//   contrast of words on every surface: text 7:1, quiet and the inks 4.5:1
//   marks of risk differ from the land by 3:1, or have an edge that does
//   fields and classes rise evenly: lightness goes one way, in like steps
//   the four risks stay apart for the three common deficiencies of colour
//   vision, and each has a shape of its own
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';

const css = (await readFile('web/pages/style.css', 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
const block = (head) => {
    const at = css.indexOf(head);
    assert.ok(at >= 0, `there is ${head}`);
    const body = css.slice(css.indexOf('{', at) + 1, css.indexOf('}', at));
    return Object.fromEntries([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map((m) => [m[1], m[2].trim()]));
};
const dark = block(':root {'), light = block(':root[data-theme="light"] {'), auto = block(':root[data-theme="auto"] {');
const themes = { dark, light };

/** Linear red, green, blue of #rrggbb or rgb(r g b / a%) over a surface. */
const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const bytes = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const over = (colour, ground) => {
    const m = /^rgb\((\d+) (\d+) (\d+) \/ (\d+)%\)$/.exec(colour);
    return m ? bytes(ground).map((g, i) => g + (+m[i + 1] - g) * m[4] / 100) : bytes(colour);
};
const luminance = (rgb) => { const [r, g, b] = rgb.map(linear); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b, ground) => {
    const [low, high] = [luminance(over(a, ground)), luminance(over(b, ground))].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
};
/** CIELAB lightness, D65. */
const lightness = (hex) => { const y = luminance(bytes(hex)); return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y; };

/* Viénot, Brettel and Mollon (1999): linear RGB as dichromats see it. */
const SEEN = {
    protan: [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    deutan: [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    tritan: [[1, 0.14461, -0.14461], [0, 0.85924, 0.14076], [0, 0.85924, 0.14076]],
};
const lab = (rgb) => {
    const f = (t) => t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
    const [r, g, b] = rgb.map((v) => Math.min(1, Math.max(0, v)));
    const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505), y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
};
const seen = (hex, how) => lab(SEEN[how].map((row) => row.reduce((sum, w, i) => sum + w * linear(bytes(hex)[i]), 0)));

test('light is the same both times, and both themes have the same tokens', () => {
    assert.deepEqual(auto, light);
    const colours = (t) => Object.keys(t).filter((k) => !/^(size|space|round|target|font)/.test(k)).sort();
    assert.deepEqual(colours(light), colours(dark));
});

test('words can be read on every surface', () => {
    for (const [name, t] of Object.entries(themes))
        for (const surface of ['ground', 'panel', 'land']) {
            const ground = t[surface];
            assert.ok(contrast(t.text, ground, ground) >= 7, `${name}: text on ${surface}`);
            for (const word of ['quiet', 'error', 'high-ink', 'serious-ink', 'moderate-ink', 'low-ink', 'choice'])
                assert.ok(contrast(t[word], ground, ground) >= 4.45, `${name}: ${word} on ${surface}: ${contrast(t[word], ground, ground)}`);
        }
});

test('marks of risk are seen on land', () => {
    for (const [name, t] of Object.entries(themes))
        for (const risk of ['high', 'serious', 'moderate', 'low']) {
            const mark = contrast(t[risk], t.land, t.land);
            const edge = t['mark-edge'] === 'transparent' ? 0 : contrast(t['mark-edge'], t.land, t.land);
            assert.ok(Math.max(mark, edge) >= 3, `${name}: ${risk}: ${mark} and its edge ${edge}`);
        }
});

test('fields and classes rise evenly', () => {
    for (const [name, t] of Object.entries(themes))
        for (const [ramp, n] of [['heat', 5], ['class', 7]]) {
            const l = Array.from({ length: n }, (_, i) => lightness(t[`${ramp}-${i + 1}`]));
            const steps = l.slice(1).map((v, i) => (v - l[i]) * (name === 'dark' ? 1 : -1));
            const mean = (steps.reduce((a, b) => a + b)) / steps.length;
            for (const step of steps) assert.ok(step > mean / 3 && step < 2 * mean, `${name} ${ramp}: ${l.map(Math.round)}`);
        }
});

test('the four risks stay apart, and each has its shape', () => {
    const risks = ['high', 'serious', 'moderate', 'low'];
    for (const t of Object.values(themes))
        for (const how of Object.keys(SEEN))
            for (let i = 0; i < 4; i++)
                for (let j = 0; j < i; j++) {
                    const [a, b] = [seen(t[risks[i]], how), seen(t[risks[j]], how)];
                    const apart = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
                    assert.ok(apart > 10, `${risks[i]} and ${risks[j]} for ${how}: ${apart}`);
                }
    const shapes = new Set([1, 2, 3, 4].map((risk) => {
        const rule = new RegExp(`\\.risk\\[data-risk="${risk}"\\]::before \\{([^}]*)\\}`).exec(css)?.[1] ?? '';
        return /(?:clip-path|border-radius):[^;]+/.exec(rule)?.[0];
    }));
    assert.equal(shapes.size, 4);
    assert.ok(!shapes.has(undefined));
});
