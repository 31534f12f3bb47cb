// @ts-check
// What index.html shows needs no code: the browser draws it first. A page that nobody looks at draws
// nothing, and starts at once.

const start = () => import("./main.js");
if (document.hidden) start();
else requestAnimationFrame(() => setTimeout(start));
