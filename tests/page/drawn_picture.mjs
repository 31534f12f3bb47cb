// @ts-check
// A dog that no one has photographed: drawn here, so that the page can be tried and shown
// without a photo that belongs to somebody. Black, rust and white with shaggy edges, as the Swiss
// mountain dogs are: a network that knows dogs knows this one too.

const scene = `
<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="800" viewBox="0 0 1000 800">
  <defs>
    <linearGradient id="sky" x2="0" y2="1"><stop stop-color="#bfe0ea"/><stop offset="1" stop-color="#f7f1dc"/></linearGradient>
    <linearGradient id="grass" x2="0" y2="1"><stop stop-color="#8fb766"/><stop offset="1" stop-color="#5f8f45"/></linearGradient>
    <radialGradient id="coat" cx=".5" cy=".25" r=".8"><stop stop-color="#3d3a3e"/><stop offset="1" stop-color="#1b191c"/></radialGradient>
    <filter id="fur" x="-10%" y="-10%" width="120%" height="120%">
      <feTurbulence type="fractalNoise" baseFrequency="0.03" numOctaves="4" seed="4" result="noise"/>
      <feDisplacementMap in="SourceGraphic" in2="noise" scale="24"/>
    </filter>
  </defs>
  <rect width="1000" height="800" fill="url(#sky)"/>
  <circle cx="805" cy="165" r="70" fill="#fff6d6"/>
  <path d="M0 520q180-110 390-40t360-20 250-10v350H0z" fill="#a9c98a"/>
  <path d="M0 600q260-70 520-20t480-20v240H0z" fill="url(#grass)"/>
  <g transform="translate(-40 0)">
    <ellipse cx="500" cy="745" rx="270" ry="26" fill="#41682f" opacity=".5"/>
    <g filter="url(#fur)">
    <path d="M668 660c80 10 140-50 126-130-6-30-46-24-44 8 4 60-34 74-74 74z" fill="#1f1d20"/>
    <path d="M350 460c-50 110-80 190-56 280h412c24-90-6-170-56-280z" fill="url(#coat)"/>
    <path d="M420 470c-30 60-10 150 30 200 20 26 80 26 100 0 40-50 60-140 30-200z" fill="#fbf6ec"/>
    <path d="M372 600c-14 60-20 100-10 140 4 14 92 14 94 0 2-46-2-96-10-140zM554 600c-8 44-12 94-10 140 2 14 90 14 94 0 10-40 4-80-10-140z" fill="#b8672e"/>
    <ellipse cx="408" cy="738" rx="56" ry="26" fill="#fbf6ec"/><ellipse cx="592" cy="738" rx="56" ry="26" fill="#fbf6ec"/>
    <path d="M345 195c-84-10-124 70-108 180 10 66 80 86 106 30 18-40 34-80 42-130zM655 195c84-10 124 70 108 180-10 66-80 86-106 30-18-40-34-80-42-130z" fill="#201e21"/>
    <path d="M500 120c110 0 172 68 172 170 0 46 10 58 10 122 0 90-80 148-182 148s-182-58-182-148c0-64 10-76 10-122 0-102 62-170 172-170z" fill="url(#coat)"/>
    <path d="M322 400c0-50 50-70 92-60 40 10 60 60 50 120-6 40-40 70-70 66-44-20-72-66-72-126zM678 400c0-50-50-70-92-60-40 10-60 60-50 120 6 40 40 70 70 66 44-20 72-66 72-126z" fill="#b8672e"/>
    <path d="M500 126c18 0 26 30 28 84 2 70 70 112 70 190 0 84-44 132-98 132s-98-48-98-132c0-78 68-120 70-190 2-54 10-84 28-84z" fill="#fbf6ec"/>
    <ellipse cx="410" cy="244" rx="26" ry="16" fill="#b8672e" transform="rotate(-14 410 244)"/><ellipse cx="590" cy="244" rx="26" ry="16" fill="#b8672e" transform="rotate(14 590 244)"/>
    </g>
    <path d="M466 470h68v46c0 46-68 46-68 0z" fill="#e0736b"/>
    <path d="M426 446c14 40 66 40 74-4 8 44 60 44 74 4" fill="none" stroke="#2a1f18" stroke-width="8" stroke-linecap="round"/>
    <path d="M448 366c0-18 22-28 52-28s52 10 52 28c0 28-32 52-52 52s-52-24-52-52z" fill="#1c1718"/>
    <ellipse cx="484" cy="356" rx="14" ry="6" fill="#6b6264"/>
    <circle cx="414" cy="300" r="25" fill="#5a351c"/><circle cx="586" cy="300" r="25" fill="#5a351c"/>
    <circle cx="414" cy="300" r="16" fill="#120d0b"/><circle cx="586" cy="300" r="16" fill="#120d0b"/>
    <circle cx="421" cy="292" r="7" fill="#fff"/><circle cx="593" cy="292" r="7" fill="#fff"/>
    <path d="M364 540q136 60 272 0" fill="none" stroke="#1b6a4f" stroke-width="22" stroke-linecap="round"/>
    <circle cx="500" cy="590" r="22" fill="#e6c84a"/>
  </g>
  <circle cx="145" cy="690" r="46" fill="#cfe04a"/>
  <path d="M112 658q32 32 4 68M180 660q-34 30-6 66" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round"/>
</svg>`;

/** Greater Swiss mountain dog, Bernese mountain dog, Appenzeller, EntleBucher. */
export const drawnBreeds = ["n02107574", "n02107683", "n02107908", "n02108000"];

/**
 * @param {import("playwright-core").Browser} browser
 * @param {string} [filter]  a CSS filter, for a second, different picture
 * @returns {Promise<Buffer>}  a JPEG of 1000x800
 */
export async function drawPicture(browser, filter = "none") {
  const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
  await page.setContent(`<body style="margin:0; filter: ${filter}">${scene}`);
  const picture = await page.screenshot({ type: "jpeg", quality: 90 });
  await page.close();
  return picture;
}
