"""Problem texts about referrals."""

from collections.abc import Mapping

from shared.domain.refusal import Refusal, refusal

GIVING_BACK = (
    *("custody-not-contested", "supervisor-gives-back", "custody-passed-on", "transfer-already-open"),
    "reason-for-transfers",
)
"""The problems of a rejection with ``sender-without-custody``."""

REFUSALS: Mapping[str, Refusal] = {
    "unknown-referral": refusal(
        404,
        "Rujukan tidak dikenal", "Unknown referral",
        "Tidak ada rujukan dengan id ini di instansi ini.", "This agency knows no referral with this id.",
        "Periksa id rujukan.", "Check the id of the referral.",
    ),
    "no-such-route": refusal(
        409,
        "Jalur rujukan tidak ada", "No such route",
        "Instansi ini tidak merujuk ke instansi itu untuk layanan itu.",
        "This agency does not refer to that agency for that service.",
        "Lihat jalur di /v1/agency.", "See the routes at /v1/agency.",
    ),
    "kind-not-on-route": refusal(
        409,
        "Jenis tidak berlaku di jalur ini", "Kind not on this route",
        "Jalur ke instansi dan layanan itu tidak mengizinkan jenis ini.",
        "The route to that agency and service does not allow this kind.",
        "Lihat jalur di /v1/agency.", "See the routes at /v1/agency.",
    ),
    "desk-asks-itself": refusal(
        409,
        "Satuan merujuk ke dirinya", "A desk refers to itself",
        "Pengirim dan penerima adalah satuan yang sama.", "Sender and receiver are the same unit.",
        "Pilih satuan penerima lain.", "Choose another receiving unit.",
    ),
    "transfer-already-open": refusal(
        409,
        "Pelimpahan masih terbuka", "Transfer already open",
        "Korban ini sedang dilimpahkan dengan rujukan {referral}.",
        "This victim is being transferred by referral {referral}.",
        "Tunggu jawabannya atau minta pembatalan.", "Wait for its answer, or ask for its cancellation.",
    ),
    "duplicate": refusal(
        409,
        "Rujukan ganda", "Duplicate referral",
        "Rujukan {referral} untuk layanan dan satuan yang sama masih berjalan.",
        "Referral {referral} for the same service and desk is still live.",
        "Pakai rujukan itu, atau kirim force: true.", "Use that referral, or send force: true.",
    ),
    "urgent-needs-supervisor": refusal(
        409,
        "Rujukan mendesak lagi memerlukan penyelia", "More urgent referrals need a supervisor",
        "Dalam satu jam terakhir Anda mengirim {sent} rujukan mendesak ke satuan itu, dan ini menambah {more}. "
        "Seorang petugas mengirim paling banyak {most}; layanan yang tidak boleh menunggu juga mendesak.",
        "In the last hour you sent {sent} urgent referrals to that desk, and this adds {more}. "
        "An officer sends at most {most}. A service that may not wait is urgent too.",
        "Minta penyelia mengirimnya, atau pilih satuan lain.", "Ask a supervisor to send it, or choose another desk.",
    ),
    "forcing-needs-supervisor": refusal(
        409,
        "Memaksa lagi memerlukan penyelia", "Forcing more needs a supervisor",
        "Dalam satu jam Anda sudah memaksakan {most} rujukan mendesak ke satuan itu.",
        "Within an hour you have forced {most} urgent referrals on that desk.",
        "Mintalah penyelia mengirimnya, pilih satuan lain, atau kirim tanpa force.",
        "Ask a supervisor to send it, choose another desk, or send it without force.",
    ),
    "not-your-move": refusal(
        409,
        "Bukan giliran instansi ini", "Not this agency's move",
        "{command} adalah hak pihak lain dari rujukan ini.",
        "{command} is an action of the other side of this referral.",
        "Lihat pengirim dan penerima rujukan.", "See the referral's sender and receiver.",
    ),
    "move-not-allowed": refusal(
        409,
        "Langkah tidak diizinkan", "Move not allowed",
        "{command} tidak dapat dilakukan dari status {status}.", "{command} is not possible from status {status}.",
        "Baca lagi rujukan ini untuk melihat statusnya.", "Read the referral again to see its status.",
    ),
    "referral-ended": refusal(
        409,
        "Rujukan sudah berakhir", "Referral ended",
        "Rujukan ini berstatus {status} dan tidak berubah lagi.",
        "This referral has the status {status} and cannot change any more.",
        "Buat rujukan baru bila masih perlu.", "Create a new referral if it is still needed.",
    ),
    "note-required": refusal(
        409,
        "Catatan wajib ada", "Note required",
        "Tindakan ini memerlukan catatan, karena {because}.", "This needs a note, because {because}.",
        "Isi note dengan apa yang terjadi dan mengapa.", "Fill in note with what happened and why.",
    ),
    "custody-contested": refusal(
        409,
        "Tanggung jawab pengirim dibantah", "Custody contested",
        "Menurut rantai gugus tugas, pengirim tidak bertanggung jawab atas korban ini, atau tidak ada tandanya.",
        "By the task force's chain the sender is not responsible for this victim, or nothing shows that it is.",
        "Hubungi pengirim dan gugus tugas. Hanya penyelia yang dapat menerima, dengan catatan.",
        "Ask the sender and the task force. Only a supervisor can accept, with a note.",
    ),
    "custody-held-here": refusal(
        409,
        "Korban sudah di instansi ini", "This agency has custody",
        "Satuan {unit} bertanggung jawab atas korban ini; instansi lain tidak dapat melimpahkannya.",
        "Unit {unit} is responsible for this victim, so no other agency can transfer her.",
        "Tolak pelimpahan ini.", "Reject this transfer.",
    ),
    "custody-not-contested": refusal(
        409,
        "Tanggung jawab pengirim tidak dibantah", "Custody not contested",
        "Tidak ada yang membantah tanggung jawab pengirim (sender_custody: {known}). Instansi ini tetap bertanggung "
        "jawab atas korban.",
        "Nothing contradicts the custody of the sender (sender_custody: {known}). This agency stays responsible for "
        "the victim.",
        "Hubungi gugus tugas. Bantahannya mengubah sender_custody. Atau limpahkan korban dengan pelimpahan baru.",
        "Ask the task force. Its contradiction changes sender_custody. Or hand the victim over by a new transfer.",
    ),
    "supervisor-gives-back": refusal(
        409,
        "Hanya penyelia yang mengembalikan", "A supervisor gives custody back",
        "Alasan ini mengembalikan tanggung jawab sesudah pelimpahan diterima. Petugas tidak dapat melakukannya.",
        "This reason gives custody back after the transfer was accepted. An officer cannot do that.",
        "Minta penyelia satuan ini, dengan catatan.", "Ask a supervisor of this unit, with a note.",
    ),
    "custody-passed-on": refusal(
        409,
        "Tanggung jawab sudah berpindah lagi", "Custody has moved on",
        "Sesudah pelimpahan ini diterima, tanggung jawab sudah berpindah lagi, ke satuan atau instansi lain.",
        "Since this transfer was accepted, custody has moved again, to another unit or agency.",
        "Hubungi gugus tugas.", "Ask the task force.",
    ),
    "reason-for-transfers": refusal(
        409,
        "Alasan hanya untuk pelimpahan", "Reason for transfers only",
        "Alasan ini hanya untuk pelimpahan dari instansi lain.",
        "This reason is only for a transfer from another agency.",
        "Pilih alasan lain.", "Choose another reason.",
    ),
    "not-an-open-transfer": refusal(
        409,
        "Bukan pelimpahan yang terbuka", "Not an open transfer",
        "Rujukan ini bukan pelimpahan dari instansi lain yang menunggu jawaban (status: {status}).",
        "This referral is no transfer of another agency that waits for an answer (status: {status}).",
        "Tanyakan hanya tentang pelimpahan yang belum diterima.", "Ask only about a transfer that is not accepted.",
    ),
    "no-coordinator": refusal(
        409,
        "Tidak ada gugus tugas", "No task force",
        "Jaringan ini tidak memiliki gugus tugas yang dapat ditanya.", "This network has no task force to ask.",
        "Hubungi pengirim.", "Ask the sender.",
    ),
    "reason-required": refusal(
        409,
        "Alasan wajib ada", "Reason required",
        "Penolakan memerlukan alasan.", "A refusal needs a reason.",
        "Isi reason.", "Fill in reason.",
    ),
    "answer-the-cancellation-instead": refusal(
        409,
        "Jawab pembatalannya", "Answer the cancellation instead",
        "Alasan ini hanya timbul dari jawaban atas pembatalan.",
        "Only an answer to a cancellation request gives this reason.",
        "Pakai tindakan answer-cancellation.", "Use the action answer-cancellation.",
    ),
    "no-cancellation-asked": refusal(
        409,
        "Tidak ada permintaan pembatalan", "No cancellation requested",
        "Pengirim tidak sedang meminta pembatalan.", "The sender is not asking for a cancellation.",
        "Tidak ada yang perlu dijawab.", "There is nothing to answer.",
    ),
    "cancellation-already-asked": refusal(
        409,
        "Pembatalan sudah diminta", "Cancellation already requested",
        "Permintaan pembatalan yang lalu belum dijawab.", "The last request for cancellation is not answered yet.",
        "Tunggu jawaban penerima.", "Wait for the receiver's answer.",
    ),
    "custody-has-moved": refusal(
        409,
        "Tanggung jawab sudah berpindah", "Custody has moved",
        "Pelimpahan yang sudah diterima tidak dapat dibatalkan.", "An accepted transfer cannot be cancelled.",
        "Limpahkan kembali dengan pelimpahan baru.", "Transfer the victim back with a new transfer.",
    ),
}  # fmt: skip
"""Problem code → status and texts."""
