/* check.js - is the browser new enough? In the oldest script there is, so that
 * any browser can say no. */
(function () {
  var enough = 'fetch' in window && 'URLSearchParams' in window && 'entries' in Object &&
    'Promise' in window && 'finally' in Promise.prototype &&
    'closest' in Element.prototype && 'append' in Element.prototype &&
    window.CSS && CSS.supports && CSS.supports('--a', '0') && CSS.supports('display', 'grid');
  window.community = { enough: !!enough };
  if (!enough) document.documentElement.className += ' too-old';
})();
