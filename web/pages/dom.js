// @ts-check
// dom.js - elements, and nothing ever parsed as HTML.

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/**
 * An element with its properties and children.
 * @param {string} tag @param {Record<string, any>} properties @param {...(Node | string)} children
 * @returns {any}
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name in node && name !== 'lang' && name !== 'list') node[name] = value;
    else node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {string} id @param {string | null} text */
export function showError(id, text) {
  $(id).hidden = !text;
  $(id).textContent = text ?? '';
}
