// onemap.mjs - run the program from tests: commands, servers, folders.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const PROGRAM = process.env.ONEMAP ?? path.resolve('build/onemap');

/** A folder of its own, removed when the test ends. */
export async function folder(t) {
    const dir = await mkdtemp(path.join(tmpdir(), 'onemap-test-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    return dir;
}

/** Run a command line to its end: {status, stdout, stderr}. */
export function onemap(...args) {
    return new Promise((resolve) => {
        const child = execFile(PROGRAM, args.map(String),
            { maxBuffer: 1 << 28, encoding: 'utf8' },
            (error, stdout, stderr) => resolve({
                status: error ? (child.exitCode ?? -1) : 0, stdout, stderr,
            }));
    });
}

/** Run it and insist on exit status 0. */
export async function done(...args) {
    const result = await onemap(...args);
    if (result.status !== 0)
        throw new Error(`onemap ${args.join(' ')}: ${result.status}\n${result.stderr}`);
    return result.stdout;
}

/** Start it and kill it after `ms`; resolves when it is gone. */
export function killedAfter(ms, ...args) {
    return new Promise((resolve) => {
        const child = spawn(PROGRAM, args.map(String), { stdio: 'ignore' });
        const timer = setTimeout(() => child.kill('SIGKILL'), ms);
        child.on('exit', (code, signal) => {
            clearTimeout(timer);
            resolve({ code, signal });
        });
    });
}

/** Numbers that are the same on every run. */
export function random(seed) {
    let state = seed >>> 0;
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
    };
}
