// ask.mjs - a question to a server, and all of its answer.
import http from 'node:http';

/** What bodies are. */
export const GEOJSON = 'application/geo+json', MERGE = 'application/merge-patch+json', LINES = 'application/x-ndjson', CSV = 'text/csv';

/**
 * Ask, and wait for the answer, whatever its status. Unlike fetch this goes to no
 * other address, unpacks nothing, and accepts no encodings and types unasked.
 *
 * shapes   how: {method, headers, agent} as http.request has them; {body}, text and
 *          bytes as they are, all else as JSON, null is none; {type} of the body
 * returns  {status, headers, body, text(), json()}, body as bytes
 * errors   rejects where no answer comes, or not all of it
 */
export async function ask(url, { method = 'GET', headers = {}, agent, body = null, type = body === null ? null : GEOJSON } = {}) {
    const sent = body === null || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const about = { ...type !== null && { 'content-type': type }, ...sent !== null && { 'content-length': Buffer.byteLength(sent) } };
    const response = await new Promise((resolve, reject) => {
        const request = http.request(url, { method, agent, headers: { ...about, ...headers } }, resolve);
        request.on('error', reject);
        request.end(sent);
    });
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    const bytes = Buffer.concat(chunks), text = () => bytes.toString('utf8');
    return { status: response.statusCode, headers: response.headers, body: bytes, text, json: () => JSON.parse(text()) };
}
