// @ts-check
// The camera in the photo's frame: what it sees is recognised again and again, at the pace that the
// device manages, and the shutter keeps a picture as any other photo. The pictures stay in this page;
// the camera is let go of with the shutter, the button, or when the page is hidden.

/**
 * @typedef {object} Actions
 * @property {() => void} begin  the camera takes the place of what is shown
 * @property {() => void} end    without a photo
 * @property {(photo: File) => Promise<void>} look     the answer to a live picture has been shown
 * @property {(photo: File) => void} keep              the shutter's
 * @property {(failure: import("./failure.js").Told) => void} refuse
 */

const LONGEST_SIDE = 1024; // of a live picture, in pixels: more than the network ever sees of it

/**
 * @param {object} elements
 * @param {HTMLElement} elements.area      holds the picture and the three buttons below
 * @param {HTMLVideoElement} elements.video
 * @param {HTMLButtonElement} elements.open
 * @param {HTMLButtonElement} elements.shutter
 * @param {HTMLButtonElement} elements.turn
 * @param {HTMLButtonElement} elements.close
 * @param {Actions} actions
 */
export function createCamera({ area, video, open, shutter, turn, close }, { begin, end, look, keep, refuse }) {
  /** @type {"environment" | "user"} a phone's back or front */
  let facing = "environment";
  /** @type {MediaStream | undefined} */
  let stream;

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = undefined;
    video.srcObject = null;
    area.hidden = true;
  };
  const leave = () => {
    if (!stream) return;
    stop();
    end();
  };

  const start = async () => {
    /** @type {MediaStream} */
    let mine;
    try {
      mine = await navigator.mediaDevices.getUserMedia({ video: { facingMode: facing, width: { ideal: 1280 } } });
    } catch (error) {
      stop();
      return refuse(failureOf(error));
    }
    stop(); // the other camera
    stream = mine;
    video.srcObject = mine;
    if (area.hidden) begin();
    area.hidden = false;
    shutter.focus({ preventScroll: true });
    await video.play().catch(() => {}); // the camera was closed at once
    const cameras = await navigator.mediaDevices.enumerateDevices();
    turn.hidden = cameras.filter(({ kind }) => kind === "videoinput").length < 2;
    while (stream === mine) {
      const picture = await pictureOf(video, LONGEST_SIDE);
      if (picture && stream === mine) await look(picture);
      else await new Promise((done) => setTimeout(done, 100)); // not a frame yet
    }
  };

  open.hidden = !navigator.mediaDevices?.getUserMedia; // an address without https
  open.addEventListener("click", start);
  turn.addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    start();
  });
  shutter.addEventListener("click", async () => {
    const picture = await pictureOf(video, Infinity);
    stop();
    open.focus({ preventScroll: true });
    if (picture) keep(picture);
  });
  close.addEventListener("click", () => {
    leave();
    open.focus({ preventScroll: true });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
  });
  return { stop, live: () => stream !== undefined };
}

/**
 * @param {HTMLVideoElement} video
 * @param {number} longest  side in pixels
 * @returns {Promise<File | undefined>}  nothing before the first frame
 */
async function pictureOf(video, longest) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) return undefined;
  const scale = Math.min(1, longest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((/** @type {BlobCallback} */ done) => canvas.toBlob(done, "image/jpeg", 0.95));
  return blob ? new File([blob], "camera.jpg", { type: "image/jpeg" }) : undefined;
}

/** @param {unknown} error */
function failureOf(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") {
    return { kind: "camera_refused", message: "This page may not use the camera. Allow it in the browser's settings for this site, or choose a photo." };
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return { kind: "camera_missing", message: "No camera was found on this device. Choose a photo." };
  }
  return { kind: "camera_busy", message: "The camera did not start; another program may be using it. Close that, or choose a photo." };
}
