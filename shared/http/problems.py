"""Every refusal of a service, as an RFC 9457 problem document with a stable ``type``.

A problem says what was wrong, in which field, and what to do; in Indonesian unless English is asked for. It never
repeats what the caller sent, because that may be a name.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from shared.domain.refusal import Refused
from shared.domain.text import Text
from shared.http import validation_messages as shape
from shared.logs import trace

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:estafet:problem:"


class FieldFault(BaseModel):
    """The fault of one field. ``field`` is a JSON Pointer (RFC 6901) into the body, or the name of a parameter or
    header."""

    field: str
    rule: str = Field(description="The rule it breaks, as a code.")
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457), extended by ``remedy`` (what to do now) and ``errors`` (one item for each faulty
    field)."""

    type: str = Field(examples=["urn:estafet:problem:duplicate"])
    title: str
    status: int
    detail: str
    remedy: str = Field(description="What to do now.")
    instance: str = Field(description="This very occurrence: `urn:estafet:trace:` and the trace id of the log.")
    errors: list[FieldFault] = []


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: HTTP status, title, detail and remedy. ``detail`` may hold facts in braces."""

    status: int
    title: Text
    detail: Text
    remedy: Text


def _kind(status: int, *texts: str) -> Kind:
    title, title_en, detail, detail_en, remedy, remedy_en = texts
    return Kind(status, Text(title, title_en), Text(detail, detail_en), Text(remedy, remedy_en))


CATALOGUE: dict[str, Kind] = {
    "invalid-request": _kind(
        422,
        "Isian tidak sah", "Invalid request",
        "Ada isian yang kosong, salah bentuk, atau tidak dikenal.", "A field is missing, malformed or unknown.",
        "Perbaiki isian yang disebut di errors, lalu kirim lagi.", "Correct the fields named in errors and send again.",
    ),
    "malformed-json": _kind(
        400,
        "Bukan JSON", "Not JSON",
        "Isi permintaan tidak dapat dibaca sebagai JSON.", "The body cannot be read as JSON.",
        "Kirim satu objek JSON dalam UTF-8.", "Send one JSON object in UTF-8.",
    ),
    "not-found": _kind(
        404,
        "Tidak ditemukan", "Not found",
        "Alamat ini tidak ada.", "There is nothing at this address.",
        "Lihat /docs untuk alamat yang ada.", "See /docs for the valid addresses.",
    ),
    "method-not-allowed": _kind(
        405,
        "Metode tidak diizinkan", "Method not allowed",
        "Alamat ini tidak menerima metode tersebut.", "This address does not accept that method.",
        "Lihat header Allow.", "See the Allow header.",
    ),
    "body-too-large": _kind(
        413,
        "Isi terlalu besar", "Body too large",
        "Isi permintaan melebihi 64 KiB (daftar orang: 1 MiB).",
        "The body is larger than 64 KiB (a list of people: 1 MiB).",
        "Perkecil isi permintaan, atau bagi menjadi beberapa.", "Make the body smaller, or send it in parts.",
    ),
    "unsupported-media-type": _kind(
        415,
        "Bukan jenis isi yang diterima", "Unsupported media type",
        "Isi permintaan bukan jenis yang diterima alamat ini.", "This address does not accept this kind of body.",
        "Kirim JSON (atau CSV, bila disebut di /docs) tanpa Content-Encoding, dan sebutkan jenisnya di Content-Type.",
        "Send JSON (or CSV, where /docs says so) without Content-Encoding, and name the type in Content-Type.",
    ),
    "malformed-request": _kind(
        400,
        "Bukan permintaan HTTP yang sah", "Not a valid HTTP request",
        "Permintaan ini dapat dibaca dengan lebih dari satu cara.", "This request can be read in more than one way.",
        "Kirim tiap header satu kali dan dalam bentuk bakunya.", "Send each header once, and in its standard form.",
    ),
    "json-too-deep": _kind(
        400,
        "JSON terlalu dalam", "JSON too deep",
        "Isi permintaan bersusun lebih dari 32 tingkat.", "The body is nested deeper than 32 levels.",
        "Kirim isi yang sesuai dengan skema di /docs.", "Send a body that fits the schema at /docs.",
    ),
    "duplicate-member": _kind(
        400,
        "Isian ganda dalam JSON", "JSON member named twice",
        "Sebuah objek memuat dua isian dengan nama yang sama.", "An object has two members of the same name.",
        "Kirim tiap isian satu kali.", "Send each member once.",
    ),
    "body-too-slow": _kind(
        408,
        "Isi terlalu lambat", "Body too slow",
        "Isi permintaan tidak tiba pada waktunya; tidak ada yang tersimpan.",
        "The body did not arrive in time; nothing is stored.",
        "Ulangi dengan Idempotency-Key yang sama.", "Repeat with the same Idempotency-Key.",
    ),
    "address-too-long": _kind(
        414,
        "Alamat terlalu panjang", "Address too long",
        "Alamat dengan parameternya melebihi 4 KiB.", "Address and query are longer than 4 KiB.",
        "Perpendek parameternya.", "Shorten the query.",
    ),
    "headers-too-large": _kind(
        431,
        "Header terlalu besar", "Headers too large",
        "Header melebihi 16 KiB atau 64 baris.", "The headers exceed 16 KiB or 64 lines.",
        "Kurangi header, terutama cookie.", "Send fewer headers, especially fewer cookies.",
    ),
    "too-many-requests": _kind(
        429,
        "Terlalu sering", "Too many requests",
        "Batas permintaan tercapai.", "The request limit is reached.",
        "Tunggu sebanyak detik di header Retry-After, lalu ulangi; POST dengan Idempotency-Key yang sama.",
        "Wait for the seconds in the Retry-After header, then repeat; a POST with the same Idempotency-Key.",
    ),
    "busy": _kind(
        503,
        "Layanan penuh", "Service busy",
        "Terlalu banyak permintaan sekaligus; tidak ada yang tersimpan.",
        "Too many requests at once; nothing is stored.",
        "Tunggu sebanyak detik di header Retry-After, lalu ulangi; POST dengan Idempotency-Key yang sama.",
        "Wait for the seconds in the Retry-After header, then repeat; a POST with the same Idempotency-Key.",
    ),
    "too-slow": _kind(
        503,
        "Terlalu lama", "Took too long",
        "Jawaban belum siap pada waktunya; permintaan mungkin tetap dilaksanakan.",
        "The answer was not ready in time; the request may still take effect.",
        "Ulangi; POST dengan Idempotency-Key yang sama: tidak ada yang dikerjakan dua kali.",
        "Repeat; a POST with the same Idempotency-Key: nothing is done twice.",
    ),
    "internal-error": _kind(
        500,
        "Kesalahan layanan", "Service error",
        "Layanan gagal; tidak ada yang tersimpan.", "The service failed; nothing has been stored.",
        "Ulangi; POST dengan Idempotency-Key yang sama.", "Repeat; a POST with the same Idempotency-Key.",
    ),
    "unavailable": _kind(
        503,
        "Basis data tidak tersedia", "Database unavailable",
        "Basis data tidak menjawab; tidak ada yang tersimpan.", "The database does not answer; nothing is stored.",
        "Ulangi setelah beberapa detik; POST dengan Idempotency-Key yang sama.",
        "Repeat after a few seconds; a POST with the same Idempotency-Key.",
    ),
    "idempotency-key-reused": _kind(
        422,
        "Idempotency-Key sudah dipakai", "Idempotency-Key reused",
        "Kunci ini sudah dipakai untuk permintaan lain.", "This key was used for another request.",
        "Pakai kunci baru untuk permintaan baru.", "Use a new key for a new request.",
    ),
    "not-a-child": _kind(
        409,
        "Bukan anak", "Not a child",
        "Pelindungan anak bukan dasar pemrosesan bagi orang dewasa.",
        "Child protection is no legal basis for an adult.",
        "Pilih dasar pemrosesan lain.", "Choose another legal basis.",
    ),
    "no-consent": _kind(
        409,
        "Tidak ada persetujuan", "No consent",
        "Tidak ada persetujuan korban yang berlaku untuk ini.", "No valid consent of the victim covers this.",
        "Mintalah persetujuan korban dan catat, atau pakai dasar pemrosesan lain bila ada.",
        "Ask for the victim's consent and record it, or use another legal basis if there is one.",
    ),
    "not-agreed": _kind(
        409,
        "Korban tidak menyetujui", "The victim does not agree",
        "Persetujuan memerlukan pernyataan setuju dari korban sendiri.", "A consent needs the victim's own agreement.",
        "Jangan catat sebagai persetujuan.", "Do not record it as a consent.",
    ),
    "guardian-part-missing": _kind(
        409,
        "Peran wali belum jelas", "The guardian's part is missing",
        "Bagi anak atau usia yang belum diketahui, wali menyetujui atau dikecualikan karena mungkin terlibat.",
        "For a child or an unknown age, a guardian agrees, or is excluded as possibly involved.",
        "Isi guardian dengan agreed atau excluded; tanpa itu pakai dasar pelindungan anak.",
        "Set guardian to agreed or excluded; without either, use child protection as the legal basis.",
    ),
    "unknown-notice": _kind(
        409,
        "Pemberitahuan tidak dikenal", "Unknown notice",
        "Pemberitahuan versi itu tidak berlaku pada tanggal tersebut.",
        "No notice of that version is valid on that date.",
        "Pakai versi yang berlaku.", "Use a valid version.",
    ),
    "no-such-day": _kind(
        409,
        "Tanggal tidak ada", "No such day",
        "Tanggal itu tidak ada dalam kalender, atau belum tiba.", "This date does not exist, or is in the future.",
        "Periksa tahun, bulan dan tanggalnya.", "Check year, month and day.",
    ),
    "not-such-a-number": _kind(
        409,
        "Nomor tidak sah", "Invalid number",
        "NIK: 16 angka; paspor: 5 sampai 12 huruf dan angka; telepon: 8 sampai 15 angka, dari luar negeri diawali +.",
        "NIK: 16 digits; passport: 5 to 12 letters and digits; telephone: 8 to 15 digits, with a + if from abroad.",
        "Periksa nomornya.", "Check the number.",
    ),
    "already-over": _kind(
        409,
        "Sudah lewat", "Already over",
        "Waktu berakhirnya sudah lewat.", "The end time is in the past.",
        "Sebut waktu yang akan datang.", "Name a time in the future.",
    ),
    "legal-hold": _kind(
        409,
        "Penghapusan ditahan", "Under legal hold",
        "Data korban ini ditahan menurut hukum dan tidak dapat dihapus sekarang.",
        "A legal hold protects this victim's data; they cannot be erased now.",
        "Cabut penahanan setelah alasannya berakhir.", "Lift the legal hold when its reason has ended.",
    ),
    "already-asked": _kind(
        409,
        "Penghapusan sudah diminta", "Erasure already asked for",
        "Penghapusan {erasure} menunggu keputusan orang kedua.",
        "Erasure {erasure} waits for a second person to decide.",
        "Minta penyelia lain memutuskannya.", "Ask another supervisor to decide it.",
    ),
    "unknown-erasure": _kind(
        404,
        "Permintaan penghapusan tidak dikenal", "Unknown erasure",
        "Tidak ada permintaan penghapusan korban ini dengan id itu.", "No erasure of this victim has this id.",
        "Periksa id di /v1/erasures.", "Check the id at /v1/erasures.",
    ),
    "unknown-match": _kind(
        404,
        "Usulan tidak dikenal", "Unknown proposal",
        "Tidak ada usulan yang masih berlaku dengan id itu bagi satuan Anda.",
        "Your desk has no valid proposal with this id.",
        "Lihat /v1/matches; usulan ditarik bila kedua korban tidak lagi punya kesamaan.",
        "See /v1/matches; a proposal is withdrawn when the two victims have nothing in common any more.",
    ),
    "already-decided": _kind(
        409,
        "Sudah diputuskan", "Already decided",
        "Permintaan penghapusan ini sudah diputuskan.", "This erasure has been decided.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
    "unknown-break-glass": _kind(
        404,
        "Akses darurat tidak dikenal", "Unknown break-glass",
        "Tidak ada akses darurat dengan id ini.", "There is no break-glass with this id.",
        "Periksa id di daftar akses darurat.", "Check the id in the list of break-glasses.",
    ),
    "second-person-needed": _kind(
        409,
        "Perlu orang kedua", "A second person is needed",
        "Orang yang membuka atau meminta tidak boleh menilai atau memutuskannya sendiri.",
        "The person who opened or requested it must not review or decide it.",
        "Minta penyelia lain.", "Ask another supervisor.",
    ),
    "already-open": _kind(
        409,
        "Akses darurat sudah terbuka", "Already open",
        "Akses darurat Anda atas korban ini masih terbuka: {look}.",
        "Your break-glass for this victim is open: {look}.",
        "Pakai yang terbuka, atau akhiri dahulu.", "Use the one that is open, or end it first.",
    ),
    "review-overdue": _kind(
        409,
        "Akses darurat terdahulu belum dinilai", "An earlier break-glass awaits review",
        "Akses darurat Anda atas korban ini tidak dinilai dalam 24 jam: {look}.",
        "Nobody reviewed your break-glass for this victim within 24 hours: {look}.",
        "Minta penyelia menilainya, atau minta petugas lain membukanya.",
        "Ask a supervisor to review it, or ask another officer to open a new one.",
    ),
    "already-reviewed": _kind(
        409,
        "Sudah dinilai", "Already reviewed",
        "Akses darurat ini sudah dinilai.", "This break-glass has been reviewed.",
        "Tidak ada yang perlu dilakukan.", "There is nothing to do.",
    ),
    "token-required": _kind(
        401,
        "Token akses wajib ada", "Access token required",
        "Permintaan ini tidak membawa token akses.", "This request carries no access token.",
        "Minta token akses kepada penerbit token instansi Anda dan kirim sebagai Authorization: Bearer.",
        "Get an access token from your agency's issuer and send it as Authorization: Bearer.",
    ),
    "token-not-valid": _kind(
        401,
        "Token akses tidak berlaku", "Access token not valid",
        "Token akses ini tidak berlaku untuk layanan ini, saat ini, atau sambungan ini.",
        "This access token is not valid for this service, this moment, or this connection.",
        "Minta token akses baru untuk layanan ini dan kirim lewat sambungan dengan sertifikat Anda.",
        "Get a new access token for this service and send it over a connection with your own certificate.",
    ),
    "role-not-allowed": _kind(
        403,
        "Peran ini tidak berwenang", "Not allowed for this role",
        "Peran {role} tidak boleh melakukan ini.", "The role {role} may not do this.",
        "Minta kepada petugas yang berwenang.", "Ask somebody whose role allows it.",
    ),
    "not-your-unit": _kind(
        403,
        "Bukan satuan Anda", "Not your unit",
        "Satuan Anda tidak dapat bertindak untuk satuan itu.", "Your unit cannot act for that unit.",
        "Sebut satuan Anda sendiri atau yang di bawahnya.", "Name your own unit or one below it.",
    ),
    "precondition-required": _kind(
        428,
        "If-Match wajib ada", "If-Match required",
        "Tindakan atas rujukan memerlukan header If-Match.", "An action on a referral needs the If-Match header.",
        "Ambil ETag dari GET rujukan ini dan kirim sebagai If-Match (atau *).",
        "GET this referral and send its ETag as If-Match (or send *).",
    ),
    "precondition-failed": _kind(
        412,
        "Rujukan sudah berubah", "The referral has changed",
        "ETag kini {current}.", "The ETag is now {current}.",
        "Baca lagi rujukan ini, putuskan lagi, lalu kirim dengan ETag barunya.",
        "Read the referral again, decide again, and send with its new ETag.",
    ),
    "unknown-case": _kind(
        404,
        "Kasus tidak dikenal", "Unknown case",
        "Tidak ada kasus dengan id ini di instansi ini.", "This agency has no case with this id.",
        "Periksa id kasus.", "Check the id of the case.",
    ),
    "unknown-victim": _kind(
        404,
        "Korban tidak dikenal", "Unknown victim",
        "Tidak ada korban dengan id ini di instansi ini.", "This agency knows no victim with this id.",
        "Periksa victim_id.", "Check victim_id.",
    ),
    "unknown-referral": _kind(
        404,
        "Rujukan tidak dikenal", "Unknown referral",
        "Tidak ada rujukan dengan id ini di instansi ini.", "This agency knows no referral with this id.",
        "Periksa id rujukan.", "Check the id of the referral.",
    ),
    "unknown-journey": _kind(
        404,
        "Perjalanan tidak dikenal", "Unknown journey",
        "Tidak ada perjalanan korban dengan id ini.", "There is no journey of a victim with this id.",
        "Periksa victim_id.", "Check victim_id.",
    ),
    "unknown-parked-event": _kind(
        404,
        "Peristiwa tertahan tidak dikenal", "Unknown parked event",
        "Tidak ada peristiwa tertahan dengan nomor ini.", "There is no parked event with this number.",
        "Lihat daftar peristiwa tertahan.", "See the list of parked events.",
    ),
    "unknown-schema": _kind(
        404,
        "Skema tidak dikenal", "Unknown schema",
        "Tidak ada jenis peristiwa dengan nama ini.", "There is no event type with this name.",
        "Lihat daftar skema.", "See the list of schemas.",
    ),
    "no-identity": _kind(
        404,
        "Identitas tidak ada", "No identity",
        "Instansi ini tidak menyimpan identitas korban ini.", "This agency holds no identity of this victim.",
        "Identitas dicatat oleh instansi yang menemui korban.", "The agency that meets the victim records it.",
    ),
    "no-note": _kind(
        404,
        "Catatan tidak ada", "No note",
        "Tidak ada catatan di sini, atau sudah dihapus.", "There is no note here, or it was erased.",
        "Daftar memuat kode alasannya.", "The list shows the reason as a code.",
    ),
    "id-taken": _kind(
        409,
        "Id sudah dipakai", "Id taken",
        "Id yang dikirim sudah ada.", "This id exists already.",
        "Buat UUIDv7 baru, atau biarkan layanan membuatnya.", "Make a new UUIDv7, or let the service make one.",
    ),
    "unknown-record": _kind(
        404,
        "Catatan tidak dikenal", "Unknown record",
        "Tidak ada catatan itu, atau formulirnya bukan yang diminta, atau sudah dibetulkan.",
        "There is no such record, or its form is not the one needed, or it has been corrected.",
        "Lihat daftar catatan korban, kasus atau satuannya.", "See the list of records of the victim, case or desk.",
    ),
    "unknown-letter": _kind(
        404,
        "Surat tidak dikenal", "Unknown letter",
        "Bentuk kode benar, tetapi buku induk instansi ini tidak memuat surat itu, atau surat itu untuk hal lain.",
        "The code is well formed, but this agency's ledger has no such letter, or the letter is for something else.",
        "Jangan percayai surat itu sebelum dibenarkan pengirimnya. Bila baru saja dicetak, coba lagi nanti.",
        "Do not trust the letter until its sender confirms it. If it was printed just now, try again later.",
    ),
    "letter-code-mistyped": _kind(
        409,
        "Kode surat salah ketik", "Letter code mistyped",
        "Huruf pemeriksa tidak cocok: paling sedikit satu huruf atau angka kode ini salah.",
        "The check character does not fit: at least one character of this code is wrong.",
        "Salin lagi dari surat, 12 huruf dan angka. Huruf kecil dan tanpa tanda hubung boleh; O dibaca 0, I dan L 1.",
        "Copy it again, 12 characters. Small letters and missing dashes are accepted; O counts as 0, I and L as 1.",
    ),
    "form-not-printed": _kind(
        409,
        "Formulir ini tidak dicetak", "This form is not printed",
        "Formulir {form} tidak punya bentuk kertas.", "The form {form} has no paper version.",
        "Lihat isian printed di /v1/forms.", "See the field printed at /v1/forms.",
    ),
    "answer-before-request": _kind(
        409,
        "Dijawab sebelum diminta", "Answered before the request",
        "occurred_at lebih awal dari permintaan rujukan ini.", "occurred_at is before this referral was requested.",
        "Periksa waktu yang tertulis di lembar jawaban.", "Check the time on the reply slip.",
    ),
    "reason-with-acceptance": _kind(
        409,
        "Alasan tolak pada jawaban terima", "A reason to reject, with an acceptance",
        "Jawabannya menerima, tetapi memuat alasan menolak.", "The answer accepts, but names a reason to reject.",
        "Hapus reason, atau ubah answer menjadi rejected.", "Remove reason, or set answer to rejected.",
    ),
    "form-not-yet": _kind(
        409,
        "Formulir sebelumnya belum diisi", "An earlier form has not been filed",
        "Formulir ini baru dapat diisi setelah: {form}.", "This form can be filed only after: {form}.",
        "Isi formulir itu lebih dahulu; isi occurred_at bila kejadiannya lebih awal.",
        "File that form first; set occurred_at if it happened earlier.",
    ),
    "already-filed": _kind(
        409,
        "Formulir sudah diisi", "The form has been filed",
        "Formulir {form} hanya diisi sekali.", "The form {form} can be filed only once.",
        "Untuk membetulkan, kirim lagi dengan corrects berisi id catatan yang lama.",
        "To correct it, send it again with the id of the old record in corrects.",
    ),
    "plan-not-agreed": _kind(
        409,
        "Korban belum setuju", "The victim has not agreed",
        "Rencana layanan hanya berlaku bila korban menyetujuinya.",
        "A service plan is valid only if the victim agrees to it.",
        "Bicarakan lagi dengan korban, ubah rencananya, lalu kirim dengan agreed true.",
        "Discuss the plan with the victim again, change it, and send it with agreed true.",
    ),
    "why-required": _kind(
        409,
        "Alasan wajib diisi", "A reason is required",
        "Keputusan ini berbeda dari yang disarankan oleh jawaban.",
        "This decision differs from what the answers suggest.",
        "Isi why dengan alasan, atau periksa lagi jawabannya.", "State the reason in why, or check the answers.",
    ),
    "not-convicted": _kind(
        409,
        "Tidak ada yang dipidana", "Nobody was convicted",
        "Restitusi hanya diperintahkan kepada yang dipidana.",
        "Restitution can be ordered only from a convicted person.",
        "Periksa amar putusan (verdict) dan restitution_ordered.", "Check verdict and restitution_ordered.",
    ),
    "interview-reason-required": _kind(
        409,
        "Korban sudah pernah diperiksa", "The victim has been interviewed before",
        "Korban sudah diperiksa {times} kali oleh semua instansi bersama-sama.",
        "The victim has been interviewed {times} times by all agencies together.",
        "Baca keterangan yang ada; bila pemeriksaan tetap perlu, isi reason dengan alasannya.",
        "Read the earlier statement; if an interview is still needed, state why in reason.",
    ),
    "officer-not-trained": _kind(
        409,
        "Penyidik belum terlatih", "The officer is not trained for this",
        "Penyidik ini tidak punya pelatihan {module} yang masih berlaku pada hari itu.",
        "This officer has no training in {module} that was valid on that day.",
        "Tugaskan penyidik yang terlatih, atau catat pelatihannya dengan officer-training.",
        "Assign a trained officer, or record the training with officer-training.",
    ),
    "unknown-unit": _kind(
        409,
        "Satuan tidak dikenal", "Unknown unit",
        "Instansi itu tidak punya satuan itu hari ini.", "That agency has no such unit today.",
        "Cari satuan instansi itu di /v1/units.", "Find the agency's units at /v1/units.",
    ),
    "unknown-region": _kind(
        409,
        "Wilayah tidak dikenal", "Unknown region",
        "Tidak ada wilayah dengan kode itu.", "There is no region with that code.",
        "Pakai kode Kemendagri: 74 atau 74.01.", "Use the Kemendagri code: 74 or 74.01.",
    ),
    "unknown-agency": _kind(
        409,
        "Instansi tidak dikenal", "Unknown agency",
        "Tidak ada instansi dengan kode itu.", "There is no agency with that code.",
        "Lihat jalur di /v1/agency.", "See the routes at /v1/agency.",
    ),
    "unknown-service": _kind(
        409,
        "Layanan tidak dikenal", "Unknown service",
        "Instansi itu tidak punya layanan itu.", "That agency offers no such service.",
        "Lihat /v1/agency.", "See /v1/agency.",
    ),
    "unknown-channel": _kind(
        409,
        "Saluran tidak dikenal", "Unknown channel",
        "Saluran yang dikenal: {known}.", "The known channels are: {known}.",
        "Pilih salah satu saluran itu.", "Choose one of them.",
    ),
    "unknown-cursor": _kind(
        409,
        "Kursor tidak dikenal", "Unknown cursor",
        "Kursor ini bukan dari daftar ini.", "This cursor is not from this list.",
        "Mulai lagi tanpa cursor.", "Start again without a cursor.",
    ),
    "no-such-route": _kind(
        409,
        "Jalur rujukan tidak ada", "No such route",
        "Instansi ini tidak merujuk ke instansi itu untuk layanan itu.",
        "This agency does not refer to that agency for that service.",
        "Lihat jalur di /v1/agency.", "See the routes at /v1/agency.",
    ),
    "kind-not-on-route": _kind(
        409,
        "Jenis tidak berlaku di jalur ini", "Kind not on this route",
        "Jalur ke instansi dan layanan itu tidak mengizinkan jenis ini.",
        "The route to that agency and service does not allow this kind.",
        "Lihat jalur di /v1/agency.", "See the routes at /v1/agency.",
    ),
    "desk-asks-itself": _kind(
        409,
        "Satuan merujuk ke dirinya", "A desk refers to itself",
        "Pengirim dan penerima adalah satuan yang sama.", "Sender and receiver are the same unit.",
        "Pilih satuan penerima lain.", "Choose another receiving unit.",
    ),
    "not-responsible": _kind(
        409,
        "Bukan penanggung jawab", "Not responsible",
        "Instansi ini bukan penanggung jawab korban dan tidak sedang melayaninya.",
        "This agency does not have custody of the victim and is not serving them.",
        "Minta penanggung jawab yang merujuk.", "Ask the custody holder to refer.",
    ),
    "not-of-this-service": _kind(
        409,
        "Bukan untuk layanan ini", "Not of this service",
        "Formulir ini hanya untuk rujukan ke layanan {service}.",
        "This form is only for a referral to the service {service}.",
        "Isi pada rujukan yang meminta layanan itu.", "File it for the referral that asks for that service.",
    ),
    "no-key-to-seal-for": _kind(
        409,
        "Tidak ada kunci penerima", "No key of the recipient",
        "Kunci penyegelan instansi {agency} tidak ada di direktori kunci; isinya tidak dapat dikirim tersegel.",
        "The key directory has no sealing key of {agency}, so this cannot be delivered sealed.",
        "Tidak ada yang tersimpan. Minta operator memeriksa direktori kunci, lalu kirim lagi.",
        "Nothing is stored. Ask an operator to check the key directory, then send it again.",
    ),
    "too-long-to-seal": _kind(
        409,
        "Terlalu panjang untuk dikirim", "Too long to deliver",
        "Seluruh isian formulir ini terlalu panjang untuk dikirim tersegel.",
        "All fields of this form together are too long to be delivered sealed.",
        "Tidak ada yang tersimpan. Persingkat uraiannya, lalu kirim lagi.",
        "Nothing is stored. Shorten the text, then send it again.",
    ),
    "not-custody-holder": _kind(
        409,
        "Bukan penanggung jawab", "Not the custody holder",
        "Hanya penanggung jawab korban yang boleh melakukan ini.", "Only the victim's custody holder may do this.",
        "Minta penanggung jawab, atau terima pelimpahannya dahulu.",
        "Ask the custody holder, or accept a transfer of the victim first.",
    ),
    "transfer-already-open": _kind(
        409,
        "Pelimpahan masih terbuka", "Transfer already open",
        "Korban ini sedang dilimpahkan dengan rujukan {referral}.",
        "This victim is being transferred by referral {referral}.",
        "Tunggu jawabannya atau minta pembatalan.", "Wait for its answer, or ask for its cancellation.",
    ),
    "duplicate": _kind(
        409,
        "Rujukan ganda", "Duplicate referral",
        "Rujukan {referral} untuk layanan dan satuan yang sama masih berjalan.",
        "Referral {referral} for the same service and desk is still live.",
        "Pakai rujukan itu, atau kirim force: true.", "Use that referral, or send force: true.",
    ),
    "journey-closed": _kind(
        409,
        "Perjalanan sudah ditutup", "Journey closed",
        "Perjalanan korban ini sudah berakhir.", "The journey of this victim has ended.",
        "Buka kasus baru bila korban ditemukan lagi.", "Open a new case if the victim is found again.",
    ),
    "referral-still-live": _kind(
        409,
        "Masih ada rujukan berjalan", "A referral is still live",
        "Rujukan {referral} belum berakhir.", "Referral {referral} has not ended.",
        "Selesaikan atau batalkan rujukan itu dahulu.", "Complete or cancel that referral first.",
    ),
    "not-your-move": _kind(
        409,
        "Bukan giliran instansi ini", "Not this agency's move",
        "{command} adalah hak pihak lain dari rujukan ini.",
        "{command} is an action of the other side of this referral.",
        "Lihat pengirim dan penerima rujukan.", "See the referral's sender and receiver.",
    ),
    "move-not-allowed": _kind(
        409,
        "Langkah tidak diizinkan", "Move not allowed",
        "{command} tidak dapat dilakukan dari status {status}.", "{command} is not possible from status {status}.",
        "Baca lagi rujukan ini untuk melihat statusnya.", "Read the referral again to see its status.",
    ),
    "referral-ended": _kind(
        409,
        "Rujukan sudah berakhir", "Referral ended",
        "Rujukan ini berstatus {status} dan tidak berubah lagi.",
        "This referral has the status {status} and cannot change any more.",
        "Buat rujukan baru bila masih perlu.", "Create a new referral if it is still needed.",
    ),
    "occurred-in-the-future": _kind(
        409,
        "Waktu kejadian di masa depan", "Time in the future",
        "occurred_at lebih lambat dari sekarang.", "occurred_at is later than now.",
        "Kirim waktu kejadian yang sebenarnya.", "Send the time when it really happened.",
    ),
    "occurred-too-long-ago": _kind(
        409,
        "Waktu kejadian terlalu lampau", "Time too long ago",
        "occurred_at lebih awal dari tahun 1900.", "occurred_at is before the year 1900.",
        "Periksa tahunnya.", "Check the year.",
    ),
    "note-required": _kind(
        409,
        "Catatan wajib ada", "Note required",
        "Alasan other memerlukan catatan.", "The reason other needs a note.",
        "Isi note.", "Fill in note.",
    ),
    "reason-required": _kind(
        409,
        "Alasan wajib ada", "Reason required",
        "Penolakan memerlukan alasan.", "A refusal needs a reason.",
        "Isi reason.", "Fill in reason.",
    ),
    "answer-the-cancellation-instead": _kind(
        409,
        "Jawab pembatalannya", "Answer the cancellation instead",
        "Alasan ini hanya timbul dari jawaban atas pembatalan.",
        "Only an answer to a cancellation request gives this reason.",
        "Pakai tindakan answer-cancellation.", "Use the action answer-cancellation.",
    ),
    "no-cancellation-asked": _kind(
        409,
        "Tidak ada permintaan pembatalan", "No cancellation requested",
        "Pengirim tidak sedang meminta pembatalan.", "The sender is not asking for a cancellation.",
        "Tidak ada yang perlu dijawab.", "There is nothing to answer.",
    ),
    "cancellation-already-asked": _kind(
        409,
        "Pembatalan sudah diminta", "Cancellation already requested",
        "Permintaan pembatalan yang lalu belum dijawab.", "The last request for cancellation is not answered yet.",
        "Tunggu jawaban penerima.", "Wait for the receiver's answer.",
    ),
    "custody-has-moved": _kind(
        409,
        "Tanggung jawab sudah berpindah", "Custody has moved",
        "Pelimpahan yang sudah diterima tidak dapat dibatalkan.", "An accepted transfer cannot be cancelled.",
        "Limpahkan kembali dengan pelimpahan baru.", "Transfer the victim back with a new transfer.",
    ),
    "beds-in-use": _kind(
        409,
        "Tempat tidur masih dipakai", "Beds are in use",
        "{taken} tempat tidur di ruang ini sedang dipakai.", "{taken} beds of this ward are in use.",
        "Catat dahulu siapa yang sudah keluar, lalu kurangi jumlahnya.",
        "First record who has left, then reduce the number.",
    ),
    "ward-not-for-them": _kind(
        409,
        "Bukan ruang untuk orang ini", "Ward not for this person",
        "Menurut jenis kelamin dan usianya, orang ini boleh menempati: {wards}.",
        "By sex and age, this person may use: {wards}.",
        "Pilih salah satu ruang itu.", "Choose one of these wards.",
    ),
    "already-has-bed": _kind(
        409,
        "Sudah punya tempat", "Has a bed already",
        "Orang ini sudah menempati sebuah tempat tidur.", "This person already has a bed.",
        "Catat dahulu bahwa ia keluar dari sana.", "First record that this person has left that bed.",
    ),
    "has-no-bed": _kind(
        409,
        "Tidak menempati tempat tidur", "Has no bed",
        "Orang ini tidak menempati tempat tidur mana pun.", "This person has no bed.",
        "Tidak ada yang perlu dicatat.", "There is nothing to record.",
    ),
    "no-bed-free": _kind(
        409,
        "Tidak ada tempat kosong", "No bed is free",
        "Ruang ini penuh. Yang terdekat dan masih ada tempat: {instead}.",
        "This ward is full. The nearest with a free bed: {instead}.",
        "Rujuk ke rumah aman lain, atau pilih ruang lain.", "Refer to another shelter, or choose another ward.",
    ),
    "not-safe-to-return": _kind(
        409,
        "Tidak aman untuk pulang", "Not safe to return",
        "Tidak seorang pun dipulangkan ke tempat yang tidak aman.", "Nobody is returned to a place that is not safe.",
        "Rencanakan tujuan lain bersama korban.", "Plan another destination with the victim.",
    ),
    "not-signed": _kind(
        409,
        "Belum ditandatangani", "Not signed",
        "Serah terima hanya berlaku bila kedua pihak menandatangani.",
        "A hand-over is valid only when both sides have signed.",
        "Catat setelah berita acara ditandatangani.", "Record it after the hand-over report is signed.",
    ),
    "leg-out-of-order": _kind(
        409,
        "Urutan perjalanan keliru", "Leg out of order",
        "Serah terima terakhir dicatat di: {last}.", "The last hand-over on record was at: {last}.",
        "Catat tahap berikutnya, atau betulkan catatan yang lalu.",
        "Record a later leg, or correct the earlier record.",
    ),
    "after-care-ended": _kind(
        409,
        "Bina lanjut sudah selesai", "After-care has ended",
        "Bina lanjut orang ini sudah dinyatakan selesai.", "The after-care of this person has ended.",
        "Betulkan catatan akhirnya bila keliru.", "Correct the record of its end if that was a mistake.",
    ),
    "desk-is-full": _kind(
        409,
        "Satuan penuh", "Desk is full",
        "Satuan {desk} mengumumkan tidak dapat menerima. Yang masih menerima: {instead}.",
        "Desk {desk} has announced that it cannot take anybody on. Desks that can: {instead}.",
        "Pilih satuan lain (lihat daya tampung), atau kirim dengan force: true bila tetap perlu.",
        "Choose another desk (see its capacity), or send force: true if it must be this desk.",
    ),
    "malformed-csv": _kind(
        422,
        "Tabel tidak dapat dibaca", "The table cannot be read",
        "Baris {line} bukan baris CSV dengan sel sebanyak judul kolomnya.",
        "Line {line} is not a CSV line with one cell for each heading.",
        "Simpan tabel sebagai CSV UTF-8 dengan satu baris judul kolom dan sedikitnya satu orang.",
        "Save the table as UTF-8 CSV with one line of headings and at least one person.",
    ),
    "unknown-column": _kind(
        422,
        "Kolom tidak dikenal", "Unknown column",
        "Judul kolom ke-{column} tidak dikenal.", "The heading of column {column} is not known.",
        "Gunakan judul kolom yang disebut di /docs.", "Use the headings named at /docs.",
    ),
    "column-twice": _kind(
        422,
        "Kolom ganda", "Duplicate column",
        "Judul kolom ke-{column} sudah dipakai kolom lain.", "Another column has the same heading as column {column}.",
        "Gunakan tiap judul satu kali.", "Use each heading once.",
    ),
    "too-many-people": _kind(
        422,
        "Terlalu banyak orang", "Too many people",
        "Daftar memuat lebih dari {most} orang.", "The list has more than {most} people.",
        "Bagi daftar menjadi beberapa.", "Send the list in parts.",
    ),
    "written-twice": _kind(
        409,
        "Orang ganda dalam daftar", "Person listed twice",
        "Orang dengan nomor ini sudah ada di baris {row} daftar ini.", "Row {row} of this list has the same number.",
        "Hapus baris ini, atau perbaiki nomor yang keliru.", "Remove this row, or correct the wrong number.",
    ),
    "batch-already-taken-in": _kind(
        409,
        "Daftar sudah diterima", "List already received",
        "Daftar yang sama sudah diterima dalam kasus ini: {batch}.",
        "The same list was already received for this case: {batch}.",
        "Lihat hasilnya dengan id itu, atau kirim dengan Idempotency-Key yang pertama.",
        "Read its results by that id, or send it with its first Idempotency-Key.",
    ),
    "unknown-batch": _kind(
        404,
        "Daftar tidak ditemukan", "Unknown batch",
        "Tidak ada daftar orang dengan id ini.", "There is no list of people with this id.",
        "Periksa id, atau lihat daftar milik kasus.", "Check the id, or see the lists of the case.",
    ),
    "replay-failed": _kind(
        409,
        "Belum dapat diterapkan", "Cannot be applied yet",
        "Peristiwa ini masih tertahan: {reason}.", "This event is still parked: {reason}.",
        "Hilangkan penyebabnya, lalu coba lagi.", "Remove the cause, then try again.",
    ),
}  # fmt: skip
"""Code of a problem → its kind. A code never changes its meaning."""


def respond(
    request: Request,
    code: str,
    errors: Sequence[FieldFault] = (),
    facts: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response with the problem document for ``code``, in the language that the caller prefers."""
    request.state.problem = code  # for the log
    problem = document(request, code, errors, facts)
    language = {"Content-Language": "en" if _in_english(request) else "id"}
    return JSONResponse(
        problem.model_dump(), problem.status, media_type=MEDIA_TYPE, headers={**language, **(headers or {})}
    )


def document(
    request: Request, code: str, errors: Sequence[FieldFault] = (), facts: Mapping[str, str] | None = None
) -> Problem:
    """The problem document alone, for use inside a longer answer."""
    kind = CATALOGUE[code]
    return Problem(
        type=TYPE_PREFIX + code,
        title=say(kind.title, request),
        status=kind.status,
        detail=say(kind.detail, request, facts),
        remedy=say(kind.remedy, request),
        instance=f"urn:estafet:trace:{trace.trace_id()}",
        errors=list(errors),
    )


def say(text: Text, request: Request, facts: Mapping[str, str] | None = None) -> str:
    """The text in the language that the caller prefers, with its facts filled in."""
    return (text.en if _in_english(request) else text.id).format_map(facts or {})


def _in_english(request: Request) -> bool:
    return request.headers.get("accept-language", "").lower().startswith("en")


CHALLENGES: Mapping[str, Mapping[str, str]] = {
    "token-required": {"WWW-Authenticate": "Bearer"},
    "token-not-valid": {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    "role-not-allowed": {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
}
"""Code of a problem → the challenge that clients expect with it (RFC 6750)."""


async def on_refused(request: Request, error: Exception) -> JSONResponse:
    """Answer a Refused. Its fact ``seconds`` becomes the Retry-After header."""
    assert isinstance(error, Refused)
    errors = fault_of(request, error)
    headers = dict(CHALLENGES.get(error.problem, {}))
    if "seconds" in error.facts:
        headers["Retry-After"] = error.facts["seconds"]
    return respond(request, error.problem, errors, error.facts, headers)


def fault_of(request: Request, error: Refused) -> list[FieldFault]:
    """The field that the refusal names, as a list; empty if it names none."""
    if (field := error.field) is None:
        return []
    outside = field[:1].isupper() or field in request.query_params or field in request.headers
    message = say(CATALOGUE[error.problem].title, request)
    return [FieldFault(field=field if outside else f"/{field}", rule=error.problem, message=message)]


def faults_of(request: Request, faults: Sequence[Any], fields: Collection[str]) -> list[FieldFault]:
    """The field faults of a request's shape, from pydantic's errors. ``fields``: the fields that the body may have."""
    english = _in_english(request)
    return [
        FieldFault(
            field=shape.pointer(fault, fields), rule=fault["type"], message=shape.message(fault, fields, english)
        )
        for fault in faults
    ]


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not have the declared shape, without repeating its content."""
    assert isinstance(error, RequestValidationError)
    if any(fault["type"] == "json_invalid" for fault in error.errors()):
        return respond(request, "malformed-json")
    if any(fault["loc"] == ("body",) for fault in error.errors()) and not _is_expected(request):
        message = say(CATALOGUE["unsupported-media-type"].detail, request)
        told = FieldFault(field="Content-Type", rule="unsupported-media-type", message=message)
        return respond(request, "unsupported-media-type", [told])
    errors = faults_of(request, error.errors(), _fields_of(request))
    missing_match = any(fault.field == "If-Match" and fault.rule == "missing" for fault in errors)
    return respond(request, "precondition-required" if missing_match else "invalid-request", errors)


def _fields_of(request: Request) -> Collection[str]:
    """The fields that the body of this request may have."""
    body = request.scope["route"].body_field
    return shape.fields_of(body.field_info.annotation) if body is not None else ()


def _is_expected(request: Request) -> bool:
    """Whether the Content-Type is the one that this route takes; a missing header counts as JSON."""
    stated = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    body = request.scope["route"].body_field
    return bool(stated == (body.field_info.media_type if body is not None else "application/json"))


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """Answer a request with an unknown path or an unsupported method."""
    assert isinstance(error, HTTPException)
    codes = {404: "not-found", 405: "method-not-allowed", 400: "malformed-json"}
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods_of(request))
    return respond(request, codes.get(error.status_code, "internal-error"), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """Every method of this path. The framework names those of the first route only."""
    routes = [route for route in request.app.router.routes if not isinstance(route, Mount)]
    scope = dict(request.scope)

    def takes(method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)

    return [method for method in ("GET", "HEAD", "POST") if takes(method)] or ["GET", "HEAD"]


EVERYWHERE = (
    *("invalid-request", "malformed-request", "address-too-long", "headers-too-large", "too-many-requests"),
    *("internal-error", "unavailable", "busy", "too-slow"),
)
POSTING = (
    *("malformed-json", "json-too-deep", "duplicate-member", "body-too-large", "body-too-slow"),
    *("unsupported-media-type", "idempotency-key-reused"),
)
COMMANDED = (*POSTING, "occurred-in-the-future", "occurred-too-long-ago")
"""The problems that every POST of a command may answer."""


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for these problems and for those of every operation, grouped by status."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in (*EVERYWHERE, *codes):
        kind = CATALOGUE[code]
        answer = found.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        answer["description"] = ", ".join(filter(None, [answer["description"], f"`{code}`"]))
    return found


def next_steps(status: int, parameter: str, *operations: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI links: the operations that use the ``id`` in the answer of ``status``, as their ``parameter``."""
    target = {"parameters": {parameter: "$response.body#/id"}}
    return {status: {"links": {name: {"operationId": name, **target} for name in operations}}}


TOKEN = {
    "type": "oauth2",
    "description": "Token akses RFC 9068 / an RFC 9068 access token, `Authorization: Bearer`.",
    "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}},
}
GUARDED = ("token-required", "token-not-valid", "role-not-allowed", "not-your-unit")
"""The problems of access control, which every operation with an access token may answer."""


def _guard(operation: dict[str, Any]) -> None:
    operation["security"] = [{"token": []}]
    for status, answer in responses(*GUARDED).items():
        operation["responses"].setdefault(str(status), answer)


def _add_not_found(operation: dict[str, Any]) -> None:
    """Add ``not-found``: a path with a strange id, such as a backslash, may match no route."""
    answers = operation["responses"]
    for status, answer in responses("not-found").items():
        known = answers.setdefault(str(status), answer)
        if status == 404 and known is not answer:
            known["description"] += ", `not-found`"


def describe(app: FastAPI, examples: Callable[[], Mapping[str, Any]], public: Collection[str]) -> None:
    """Complete the app's OpenAPI document: Problem schema, examples of this agency, and access tokens.

    Removes the framework's own error schema, which no service sends. ``public``: operations that need no access token.
    """
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schema["components"]["securitySchemes"] = {"token": TOKEN}
            for address, path in schema["paths"].items():
                for operation in path.values():
                    if operation["operationId"] not in public:
                        _guard(operation)
                    if "{" in address:
                        _add_not_found(operation)
            for name, example in examples().items():
                if name in schemas:
                    schemas[name]["examples"] = [example]
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
